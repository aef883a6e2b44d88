#pragma once

/* Base64 of 20 bytes, and its end. */
enum { ACCEPT_BYTES = 29, MOST_KEY_BYTES = 24 };

/* What a server proves with that it speaks WebSocket (RFC 6455, 4.2.2). `key`: the client's, of at most `MOST_KEY_BYTES`. */
void accept_key(const char *key, char accept[ACCEPT_BYTES]);
