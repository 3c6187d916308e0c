// application ↔ [platform types]: names only, since the server loads no platform's types

declare global {
  // Empty here; in a program with DOM or Node types they merge with the real ones.
  interface Request {}
  interface Response {}
}

/** What a fetch handler is called with. */
export type FetchRequest = Request;

/** What a fetch handler returns. */
export type FetchResponse = Response;
