/*
 * The server under the clients of `bench:engine`: epoll, one thread, one write for each read. In C so that it is never
 * what limits them: a client that waits for its server pays for falling asleep and waking up, and the faster it is, the
 * more. It knows just the messages that the contestants send, over HTTP/1.1, WebSocket and lines on one port, told apart
 * by their first byte, and ends a connection that sends it anything else. Linux.
 *
 * fast-sink json|sse: how it answers over HTTP. Prints one line of JSON when it listens on 127.0.0.1; ends with its parent.
 */
#define _GNU_SOURCE
#include "accept-key.h"
#include "answers.h"
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

enum { EVENTS = 256 };

struct connection {
  int fd;
  enum protocol protocol;
  /* The start of a message whose rest has not come. */
  char *held;
  size_t held_bytes;
};

static const char DELETED[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
static const char NOT_ALLOWED[] = "HTTP/1.1 405 Method Not Allowed\r\nallow: POST, DELETE\r\ncontent-length: 0\r\n\r\n";

static char in[MESSAGE_MAX + READ_MAX];

/* ---- WebSocket (RFC 6455) ---- */

/* Returns where the next message begins, `at` when not all is there, NULL to end the connection. */
static char *upgrade(struct connection *connection, char *at, char *end) {
  static const char name[] = "sec-websocket-key:";
  char *stop = memmem(at, end - at, "\r\n\r\n", 4);
  if (stop == NULL) return at;
  *stop = 0;
  char *key = strcasestr(at, name);
  if (key == NULL) return NULL;
  char text[MOST_KEY_BYTES + 1];
  char accept[ACCEPT_BYTES];
  if (sscanf(key + sizeof name - 1, " %24[A-Za-z0-9+/=]", text) != 1) return NULL;
  accept_key(text, accept);
  char reply[256];
  int mcp = strcasestr(at, "sec-websocket-protocol:") != NULL;
  add(reply, snprintf(reply, sizeof reply, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: %s\r\n%s\r\n", accept, mcp ? "sec-websocket-protocol: mcp\r\n" : ""));
  connection->protocol = WEBSOCKET;
  return stop + 4;
}

static char *take_frame(char *at, char *end) {
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

static char *take_request(char *at, char *end) {
  /* A client's heads are nearly always the same bytes again. */
  static char known[4096];
  static size_t known_head;
  static size_t known_body;
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

static char *take_line(char *at, char *end) {
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
    case HTTP: return take_request(at, end);
    case UPGRADING: return upgrade(connection, at, end);
    case WEBSOCKET: return take_frame(at, end);
    case LINES: return take_line(at, end);
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
