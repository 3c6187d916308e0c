// ws → [web socket] → probe, serve, connect: the classes with which frames are read and written

import * as ws from "ws";

// Exported from ws 8.20 on; its types do not know yet.
const { PerMessageDeflate } = ws as unknown as { PerMessageDeflate: new () => object };

export const { WebSocket } = ws;
export type WebSocket = ws.WebSocket;
/** For `adopt()`. */
export const CLASSES = { WebSocket, PerMessageDeflate };
