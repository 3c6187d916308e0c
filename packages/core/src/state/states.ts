// bytes → parser → events → [states] → events → serializer → bytes

/** The nine states of a role, by h11's names, each with its meaning. */
export const STATES = {
  "idle": "nothing of this cycle was said yet",
  "send-response": "the server owes a response",
  "send-body": "the head is out, the body is under way",
  "done": "this role's message of the cycle is complete",
  "must-close": "this role has spoken for the last time and will end its side",
  "closed": "this role has ended its side",
  "might-switch-protocol": "the client has proposed a switch and says nothing until the answer",
  "switched-protocol": "HTTP is over: what follows is the new protocol's",
  "error": "this role broke the rules",
} as const;

export type State = keyof typeof STATES;
