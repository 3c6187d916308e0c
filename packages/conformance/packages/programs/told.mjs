// What the story returns.
export const TOLD = `welcome, and back again: v2, compressed
web streams
relayed: both ways
200 no /tea
HTTP/1.1 400 Bad Request
no tunnel: 403`;
