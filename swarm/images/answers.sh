#!/bin/sh
# answers.sh PORT PATH: succeeds if http://127.0.0.1:PORT/PATH answers with 200. For health checks, where starting a
# Node process each time would cost more than the server that it checks. Debian's slim images have bash but no wget;
# busybox has wget but no bash. Not `wget -T 3`: busybox 1.35 crashes on it.
if command -v wget >/dev/null 2>&1; then exec timeout 3 wget -q -O /dev/null "http://127.0.0.1:$1$2"; fi
exec timeout 3 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&3 &&
  read -r _ status _ <&3 && [ "$status" = 200 ]' "$1" "$2"
