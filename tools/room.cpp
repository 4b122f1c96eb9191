// tools
