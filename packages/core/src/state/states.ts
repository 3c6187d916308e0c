// bytes → parser → events → [states] → events → serializer → bytes

/** The nine states of a role, named as in h11. */
export const STATES = [
  // this role has sent nothing in this cycle
  "idle",
  // the server has to send a response
  "send-response",
  // the head is sent, the body follows
  "send-body",
  // this role's message of the cycle is complete
  "done",
  // this role has sent its last message and will end its side
  "must-close",
  // this role has ended its side
  "closed",
  // the client has proposed a switch and sends nothing until the answer
  "might-switch-protocol",
  // HTTP is over: what follows belongs to the new protocol
  "switched-protocol",
  // this role broke the rules
  "error",
] as const;

/** What one role may do now. Each role has a state, and both ends keep both. */
export type State = (typeof STATES)[number];
