"""The smallest server on the official Python SDK: server.py stdio | http | stateless [PORT]. Each call adds a byte to $CALLS."""
import os
import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("python")


@server.tool()
def echo(message: str) -> str:
    """Says what it was told."""
    with open(os.environ["CALLS"], "a", encoding="ascii") as calls:
        calls.write(".")
    return message


if sys.argv[1] == "stdio":
    server.run(transport="stdio")
else:
    stateless = sys.argv[1] == "stateless"
    server.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[2]), stateless_http=stateless)
