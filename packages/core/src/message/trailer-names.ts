// bytes → parser → events → [trailer names] → serializer → bytes: what a trailer section may not have

// RFC 9110 §6.5.1: fields that frame, route, authenticate or describe content cannot be trailers.
export const NEVER_A_TRAILER: ReadonlySet<string> = new Set([
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "max-forwards",
  "pragma",
  "proxy-authenticate",
  "proxy-authorization",
  "range",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
]);
