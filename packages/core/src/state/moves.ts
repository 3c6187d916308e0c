// bytes → parser → events → [moves] → events → serializer → bytes: what an event does to its role

import type { Role } from "../base/role.ts";
import type { State } from "./states.ts";

/** What can move a role. `peer-request` moves the server when the client sends a request. */
export const CAUSES = ["request", "peer-request", "interim-response", "response", "switch-accepted", "data", "end-of-message", "connection-closed"] as const;

export type Cause = (typeof CAUSES)[number];

type Row = { readonly [C in Cause]?: State };

/** Moves caused by an event of this role. Any other event is not allowed. */
export const MOVES: { readonly [R in Role]: { readonly [S in State]?: Row } } = {
  client: {
    "idle": { "request": "send-body", "connection-closed": "closed" },
    "send-body": { "data": "send-body", "end-of-message": "done" },
    "done": { "connection-closed": "closed" },
    "must-close": { "connection-closed": "closed" },
    "closed": { "connection-closed": "closed" },
  },
  server: {
    // A server may answer a request that it could not read: hence `response` while idle.
    "idle": { "peer-request": "send-response", "response": "send-body", "connection-closed": "closed" },
    "send-response": {
      "interim-response": "send-response",
      "response": "send-body",
      "switch-accepted": "switched-protocol",
    },
    "send-body": { "data": "send-body", "end-of-message": "done" },
    "done": { "connection-closed": "closed" },
    "must-close": { "connection-closed": "closed" },
    "closed": { "connection-closed": "closed" },
  },
};
