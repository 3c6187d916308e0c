// trace → [names] → page: the names that the trace uses

import type { TraceEvent } from "@upgrade/core/io";

/** What one role may do now. */
export type State = TraceEvent["states"]["client"];

/** Where a connection as a whole is. */
export type Phase = Extract<TraceEvent, { readonly type: "moved" }>["to"];
