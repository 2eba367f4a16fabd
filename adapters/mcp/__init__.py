"""An environment as tools for any MCP client: `proofgym mcp ENV`. `tools.create` makes the server, `cli` runs it."""
