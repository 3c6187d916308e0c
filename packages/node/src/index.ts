// The upgrade toolkit on node:net, node:tls and node:http.

export { ConnectionError, LocalProtocolError, UpgradeError } from "@upgrade/core";
export type { ListenOptions, ServeOptions } from "./listen-options.ts";
export type { CloseServerOptions } from "./live-connections.ts";
export { type OpenOptions, open } from "./open.ts";
export type { Address } from "./place.ts";
export type { Environment } from "./proxies.ts";
export { ProxyRefused, type ResponseHead } from "./proxy-refused.ts";
export { serve } from "./serve.ts";
export { Server } from "./server.ts";
