// driver → [phases]: the phase of a connection as a whole

/** The phases of a connection, from the handshake to the end. */
export const PHASES = [
  // messages may go both ways
  "http",
  // a switch was agreed; the rest of what we sent is being written
  "switching",
  // HTTP is over and the io is wanted; the rest of what we sent is being written
  "finishing",
  // our side has ended; we wait for the peer's end and discard what still arrives
  "lingering",
  // HTTP is over; the io is open and waits for its next owner
  "kept-open",
  // the io has another owner
  "released",
  // the io is shut down or gone
  "down",
] as const;

/** Where a connection as a whole is, from HTTP to its end or its next owner. */
export type Phase = (typeof PHASES)[number];
