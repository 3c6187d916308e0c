// driver → [phases]: where a connection stands as a whole

/** The phases of a connection, from the handshake to the end. */
export const PHASES = [
  // messages go both ways, or may
  "http",
  // a switch was agreed; the rest of what we sent is on its way out
  "switching",
  // HTTP is over and the io is wanted; the rest of what we sent is on its way out
  "finishing",
  // our side has ended; the peer's end is awaited, and what still comes is thrown away
  "lingering",
  // HTTP is over; the io is open and waits for its next owner
  "kept-open",
  // the io belongs to somebody else
  "released",
  // the io is shut down or gone
  "down",
] as const;

export type Phase = (typeof PHASES)[number];
