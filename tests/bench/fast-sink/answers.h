#pragma once

#include <stddef.h>

enum protocol { UNKNOWN, HTTP, UPGRADING, WEBSOCKET, LINES };

enum { MESSAGE_MAX = 1 << 16, READ_MAX = 1 << 18 };

/* What goes out after the read that is worked on, over one connection. */
extern char out[];
extern size_t out_bytes;
/* Whether answers over HTTP are event streams. */
extern int sse;

void die(const char *what);
void add(const char *bytes, size_t length);
/* Adds the answer to a message [message, end), if it is one that has an answer. */
void answer(enum protocol protocol, const char *message, const char *end);
