/*
 * The server under the clients of `bench:engine`: epoll, one thread, one write for each read. In C so that it is never
 * what limits them: a client that waits for its server pays for falling asleep and waking up, and the faster it is, the
 * more. It knows just the messages that the contestants send, over HTTP/1.1, WebSocket and lines on one port, told apart
 * by their first byte, and ends a connection that sends it anything else. Linux.
 *
 * fast-sink json|sse: how it answers over HTTP. Prints one line of JSON when it listens on 127.0.0.1; ends with its parent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EVENTS = 256, MESSAGE_MAX = 1 << 16, READ_MAX = 1 << 18, ANSWER_MAX = 512, ID_MAX = 40 };

enum protocol { UNKNOWN, HTTP, UPGRADING, WEBSOCKET, LINES };

struct connection {
  int fd;
  enum protocol protocol;
  /* The start of a message whose rest has not come. */
  char *held;
  size_t held_bytes;
};

static const char TEXT_RESULT[] = "{\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]}";
static const char INITIALIZE_RESULT[] =
    "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"fast-sink\",\"version\":\"1.0.0\"}}";
static const char ACCEPTED[] = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
static const char DELETED[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
static const char NOT_ALLOWED[] = "HTTP/1.1 405 Method Not Allowed\r\nallow: POST, DELETE\r\ncontent-length: 0\r\n\r\n";

static char in[MESSAGE_MAX + READ_MAX];
/* The shortest message is far longer than a tenth of its answer. */
static char out[10 * sizeof in];
static size_t out_bytes;
static int sse;
static unsigned sessions;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void add(const char *bytes, size_t length) {
  if (out_bytes + length > sizeof out) die("answers");
  memcpy(out + out_bytes, bytes, length);
  out_bytes += length;
}

/* ---- messages ---- */

static int begins(const char *at, const char *end, const char *text, size_t length) {
  return (size_t)(end - at) >= length && memcmp(at, text, length) == 0;
}

/* Finds the digits or the quoted id. Clients put it first, but for the SDK, which puts it last. */
static const char *find_id(const char *message, const char *end, size_t *length) {
  static const char first[] = "{\"jsonrpc\":\"2.0\",\"id\":";
  static const char member[] = "\"id\":";
  const char *at = begins(message, end, first, sizeof first - 1) ? message + sizeof first - sizeof member : memmem(message, end - message, member, sizeof member - 1);
  if (at == NULL) return NULL;
  at += sizeof member - 1;
  const char *stop = at;
  while (stop < end && *stop != ',' && *stop != '}') stop++;
  *length = stop - at;
  return *length > 0 && *length <= ID_MAX ? at : NULL;
}

static int is_initialize(const char *message, const char *end) {
  static const char method[] = "\"method\":\"initialize\"";
  return memmem(message, end - message, method, sizeof method - 1) != NULL;
}

/* A whole answer but for its id, kept for each length of the id. */
struct template {
  char bytes[ANSWER_MAX];
  size_t length;
  size_t id_at;
};

static void build(struct template *template, enum protocol protocol, const char *result, size_t id_length, const char *headers) {
  char message[ANSWER_MAX / 2];
  int length = snprintf(message, sizeof message, "{\"jsonrpc\":\"2.0\",\"id\":%0*d,\"result\":%s}", (int)id_length, 0, result);
  int before = 0;
  int whole = 0;
  char *to = template->bytes;
  if (length >= (int)sizeof message) die("an answer");
  if (protocol == LINES) {
    whole = snprintf(to, ANSWER_MAX, "%s\n", message);
  } else if (protocol == WEBSOCKET) {
    before = length < 126 ? 2 : 4;
    to[0] = (char)0x81;
    to[1] = (char)(length < 126 ? length : 126);
    if (before == 4) to[2] = (char)(length >> 8), to[3] = (char)length;
    memcpy(to + before, message, length);
    whole = before + length;
  } else if (sse) {
    before = snprintf(to, ANSWER_MAX, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n%stransfer-encoding: chunked\r\n\r\n%x\r\nevent: message\ndata: ", headers, length + 23);
    whole = before + snprintf(to + before, ANSWER_MAX - before, "%s\n\n\r\n0\r\n\r\n", message);
  } else {
    before = snprintf(to, ANSWER_MAX, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n", headers, length);
    whole = before + snprintf(to + before, ANSWER_MAX - before, "%s", message);
  }
  template->length = whole;
  template->id_at = before + sizeof "{\"jsonrpc\":\"2.0\",\"id\":" - 1;
}

static void add_answer(const struct template *template, const char *id, size_t id_length) {
  char *to = out + out_bytes;
  add(template->bytes, template->length);
  memcpy(to + template->id_at, id, id_length);
}

static void answer(enum protocol protocol, const char *message, const char *end) {
  static struct template known[LINES + 1][ID_MAX + 1];
  size_t id_length = 0;
  const char *id = find_id(message, end, &id_length);
  if (id == NULL) {
    if (protocol == HTTP) add(ACCEPTED, sizeof ACCEPTED - 1);
    return;
  }
  if (is_initialize(message, end)) {
    struct template once;
    char session[64] = "";
    if (protocol == HTTP) snprintf(session, sizeof session, "mcp-session-id: %08u\r\n", ++sessions);
    build(&once, protocol, INITIALIZE_RESULT, id_length, session);
    add_answer(&once, id, id_length);
    return;
  }
  struct template *template = &known[protocol][id_length];
  if (template->length == 0) build(template, protocol, TEXT_RESULT, id_length, "");
  add_answer(template, id, id_length);
}

/* ---- WebSocket (RFC 6455) ---- */

static uint32_t rotated(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

/* SHA-1 (RFC 3174) of less than 120 bytes: the handshake asks for it. */
static void sha1(const char *text, size_t length, uint8_t digest[20]) {
  uint8_t block[128] = {0};
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  size_t blocks = (length + 8) / 64 + 1;
  memcpy(block, text, length);
  block[length] = 0x80;
  block[blocks * 64 - 2] = (uint8_t)(length * 8 >> 8);
  block[blocks * 64 - 1] = (uint8_t)(length * 8);
  for (size_t at = 0; at < blocks * 64; at += 64) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++) w[i] = (uint32_t)block[at + 4 * i] << 24 | block[at + 4 * i + 1] << 16 | block[at + 4 * i + 2] << 8 | block[at + 4 * i + 3];
    for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
      uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
      uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
      uint32_t next = rotated(a, 5) + f + e + k + w[i];
      e = d, d = c, c = rotated(b, 30), b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
  }
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64(const uint8_t digest[20], char text[29]) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < 28; i += 4) {
    int from = i / 4 * 3;
    uint32_t three = (uint32_t)digest[from] << 16 | digest[from + 1] << 8 | (from + 2 < 20 ? digest[from + 2] : 0);
    for (int j = 0; j < 4; j++) text[i + j] = letters[three >> (18 - 6 * j) & 63];
  }
  text[27] = '=';
  text[28] = 0;
}

/* Returns where the next message begins, `at` when not all is there, NULL to end the connection. */
static char *upgrade(struct connection *connection, char *at, char *end) {
  static const char name[] = "sec-websocket-key:";
  char *stop = memmem(at, end - at, "\r\n\r\n", 4);
  if (stop == NULL) return at;
  *stop = 0;
  char *key = strcasestr(at, name);
  if (key == NULL) return NULL;
  char text[128];
  char accept[29];
  uint8_t digest[20];
  if (sscanf(key + sizeof name - 1, " %24[A-Za-z0-9+/=]", text) != 1) return NULL;
  strcat(text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  sha1(text, strlen(text), digest);
  base64(digest, accept);
  char reply[256];
  int mcp = strcasestr(at, "sec-websocket-protocol:") != NULL;
  add(reply, snprintf(reply, sizeof reply, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: %s\r\n%s\r\n", accept, mcp ? "sec-websocket-protocol: mcp\r\n" : ""));
  connection->protocol = WEBSOCKET;
  return stop + 4;
}

static char *take_frame(struct connection *connection, char *at, char *end) {
  (void)connection;
  if (end - at < 6) return at;
  size_t length = at[1] & 127;
  char *mask = at + 2;
  if ((at[1] & 0x80) == 0 || length == 127) return NULL;
  if (length == 126) length = (uint8_t)at[2] << 8 | (uint8_t)at[3], mask = at + 4;
  char *message = mask + 4;
  if (message > end || length > (size_t)(end - message)) return at;
  uint32_t key;
  uint64_t two_keys;
  memcpy(&key, mask, 4);
  two_keys = (uint64_t)key << 32 | key;
  size_t done = 0;
  for (; done + 8 <= length; done += 8) {
    uint64_t word;
    memcpy(&word, message + done, 8);
    word ^= two_keys;
    memcpy(message + done, &word, 8);
  }
  for (; done < length; done++) message[done] ^= mask[done % 4];
  /* Of the rest, contestants only ever send a close frame. */
  if ((uint8_t)at[0] != 0x81) return NULL;
  answer(WEBSOCKET, message, message + length);
  return message + length;
}

/* ---- HTTP/1.1 and lines ---- */

static char *take_request(struct connection *connection, char *at, char *end) {
  /* A client's heads are nearly always the same bytes again. */
  static char known[4096];
  static size_t known_head;
  static size_t known_body;
  (void)connection;
  size_t head = known_head;
  size_t body = known_body;
  if (known_head == 0 || (size_t)(end - at) < known_head || memcmp(at, known, known_head) != 0) {
    static const char name[] = "\r\ncontent-length:";
    char *stop = memmem(at, end - at, "\r\n\r\n", 4);
    if (stop == NULL) return at;
    stop[2] = 0;
    char *length = strcasestr(at, name);
    stop[2] = '\r';
    head = stop + 4 - at;
    body = length == NULL ? 0 : strtoul(length + sizeof name - 1, NULL, 10);
    if (head <= sizeof known) memcpy(known, at, head), known_head = head, known_body = body;
  }
  char *message = at + head;
  if (body > (size_t)(end - message)) return body > MESSAGE_MAX ? NULL : at;
  if (*at == 'P') answer(HTTP, message, message + body);
  else if (*at == 'D') add(DELETED, sizeof DELETED - 1);
  else add(NOT_ALLOWED, sizeof NOT_ALLOWED - 1);
  return message + body;
}

static char *take_line(struct connection *connection, char *at, char *end) {
  (void)connection;
  char *stop = memchr(at, '\n', end - at);
  if (stop == NULL) return at;
  answer(LINES, at, stop);
  return stop + 1;
}

/* A GET is an upgrade or the stream that clients of the session era ask for. */
static enum protocol protocol_of(const char *at, const char *end) {
  if (*at == '{') return LINES;
  if (*at != 'G') return HTTP;
  if (memmem(at, end - at, "\r\n\r\n", 4) == NULL) return UNKNOWN;
  return memmem(at, end - at, "ebsocket", 8) != NULL ? UPGRADING : HTTP;
}

static char *take(struct connection *connection, char *at, char *end) {
  switch (connection->protocol) {
    case HTTP: return take_request(connection, at, end);
    case UPGRADING: return upgrade(connection, at, end);
    case WEBSOCKET: return take_frame(connection, at, end);
    case LINES: return take_line(connection, at, end);
    default: return at;
  }
}

/* ---- connections ---- */

/* Waits where the client has not read yet: a contestant never waits for us to read, so this ends. */
static int write_all(int fd) {
  for (size_t done = 0; done < out_bytes;) {
    ssize_t written = write(fd, out + done, out_bytes - done);
    if (written >= 0) done += written;
    else if (errno == EAGAIN) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    else if (errno != EINTR) return 0;
  }
  out_bytes = 0;
  return 1;
}

static int keep(struct connection *connection, const char *at, const char *end) {
  size_t bytes = end - at;
  if (bytes > MESSAGE_MAX) return 0;
  if (bytes > 0 && connection->held == NULL && (connection->held = malloc(MESSAGE_MAX)) == NULL) die("malloc");
  if (bytes > 0) memcpy(connection->held, at, bytes);
  connection->held_bytes = bytes;
  return 1;
}

/* Returns whether the connection goes on. */
static int serve(struct connection *connection) {
  if (connection->held_bytes > 0) memcpy(in, connection->held, connection->held_bytes);
  ssize_t got = read(connection->fd, in + connection->held_bytes, READ_MAX);
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  char *at = in;
  char *end = in + connection->held_bytes + got;
  if (connection->protocol == UNKNOWN) connection->protocol = protocol_of(at, end);
  while (at < end) {
    char *next = take(connection, at, end);
    if (next == NULL) return 0;
    if (next == at) break;
    at = next;
  }
  return write_all(connection->fd) && keep(connection, at, end);
}

static void accept_all(int listener, int poller) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) die("calloc");
    connection->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = connection});
  }
}

int main(int count, char **arguments) {
  sse = count > 1 && strcmp(arguments[1], "sse") == 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0) die("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &size) != 0) die("getsockname");
  int port = ntohs(address.sin_port);
  printf("{\"listening\":{\"url\":\"http://127.0.0.1:%d/mcp\",\"endpoints\":{\"websocket\":\"ws://127.0.0.1:%d/mcp\",\"tcp\":\"tcp://127.0.0.1:%d\"}}}\n", port, port, port);
  fflush(stdout);
  int poller = epoll_create1(0);
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN});
  for (;;) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poller, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      if (connection == NULL) {
        accept_all(listener, poller);
        continue;
      }
      if (serve(connection)) continue;
      out_bytes = 0;
      close(connection->fd);
      free(connection->held);
      free(connection);
    }
  }
}
