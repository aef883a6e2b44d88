#define _GNU_SOURCE
#include "answers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 512, ID_MAX = 40 };

static const char TEXT_RESULT[] = "{\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]}";
static const char INITIALIZE_RESULT[] =
    "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"fast-sink\",\"version\":\"1.0.0\"}}";
static const char ACCEPTED[] = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

/* No message is shorter than a tenth of its answer. */
char out[10 * (MESSAGE_MAX + READ_MAX)];
size_t out_bytes;
int sse;
static unsigned sessions;

void die(const char *what) {
  perror(what);
  exit(1);
}

void add(const char *bytes, size_t length) {
  if (out_bytes + length > sizeof out) die("answers");
  memcpy(out + out_bytes, bytes, length);
  out_bytes += length;
}

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

void answer(enum protocol protocol, const char *message, const char *end) {
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
