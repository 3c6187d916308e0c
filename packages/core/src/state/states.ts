// bytes → parser → events → [states] → events → serializer → bytes

/** The nine states of a role, by h11's names. */
export const STATES = [
  // nothing of this cycle was said yet
  "idle",
  // the server owes a response
  "send-response",
  // the head is out, the body is under way
  "send-body",
  // this role's message of the cycle is complete
  "done",
  // this role has spoken for the last time and will end its side
  "must-close",
  // this role has ended its side
  "closed",
  // the client has proposed a switch and says nothing until the answer
  "might-switch-protocol",
  // HTTP is over: what follows is the new protocol's
  "switched-protocol",
  // this role broke the rules
  "error",
] as const;

export type State = (typeof STATES)[number];
