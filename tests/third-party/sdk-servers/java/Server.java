import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.transport.HttpServletStatelessServerTransport;
import io.modelcontextprotocol.server.transport.HttpServletStreamableServerTransportProvider;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import io.modelcontextprotocol.spec.McpSchema.CallToolRequest;
import io.modelcontextprotocol.spec.McpSchema.CallToolResult;
import io.modelcontextprotocol.spec.McpSchema.Tool;
import jakarta.servlet.http.HttpServlet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.apache.catalina.startup.Tomcat;

/** The smallest server on the official Java SDK: Server stdio | http | stateless [PORT]. Each call adds a byte to $CALLS. */
public class Server {
    public static void main(String[] args) throws Exception {
        Map<String, Object> message = Map.of("type", "string");
        Map<String, Object> schema =
                Map.of("type", "object", "properties", Map.of("message", message), "required", List.of("message"));
        Tool echo = Tool.builder("echo", schema).description("Says what it was told.").build();
        switch (args[0]) {
            case "stdio" -> {
                var transport = new StdioServerTransportProvider(McpJsonDefaults.getMapper());
                McpServer.sync(transport).serverInfo("java", "1.0.0").toolCall(echo, (exchange, call) -> answer(call)).build();
            }
            case "http" -> {
                var transport = HttpServletStreamableServerTransportProvider.builder().mcpEndpoint("/mcp").build();
                McpServer.sync(transport).serverInfo("java", "1.0.0").toolCall(echo, (exchange, call) -> answer(call)).build();
                listen(transport, Integer.parseInt(args[1]));
            }
            default -> {
                var transport = HttpServletStatelessServerTransport.builder().messageEndpoint("/mcp").build();
                McpServer.sync(transport).serverInfo("java", "1.0.0").toolCall(echo, (context, call) -> answer(call)).build();
                listen(transport, Integer.parseInt(args[1]));
            }
        }
    }

    private static CallToolResult answer(CallToolRequest call) {
        try {
            Path calls = Path.of(System.getenv("CALLS"));
            Files.writeString(calls, ".", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return CallToolResult.builder().addTextContent(String.valueOf(call.arguments().get("message"))).build();
    }

    private static void listen(HttpServlet servlet, int port) throws Exception {
        Path folder = Files.createTempDirectory("tomcat");
        folder.toFile().deleteOnExit();
        var tomcat = new Tomcat();
        tomcat.setBaseDir(folder.toString());
        tomcat.setHostname("127.0.0.1");
        tomcat.setPort(port);
        var context = tomcat.addContext("", folder.toString());
        var wrapper = Tomcat.addServlet(context, "mcp", servlet);
        wrapper.setAsyncSupported(true);
        context.addServletMappingDecoded("/*", "mcp");
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        tomcat.start();
        tomcat.getServer().await();
    }
}
