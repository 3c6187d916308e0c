// The upgrade toolkit on node:net, node:tls and node:http.

export { ConnectionError, LocalProtocolError, UpgradeError } from "@upgrade/core";
export type { ListenOptions, ServeOptions } from "./listen-options.ts";
export type { CloseServerOptions } from "./live-connections.ts";
export { serve } from "./serve.ts";
export { Server } from "./server.ts";
