// The upgrade toolkit on node:net, node:tls and node:http.

export { ConnectionError, LocalProtocolError, UpgradeError } from "@upgrade/core";
export { adoptUpgrade } from "./adopt-upgrade.ts";
export { handOver, type UpgradeArguments } from "./hand-over.ts";
export { incomingMessage, type RequestHead } from "./incoming-message.ts";
export { leaveTo } from "./leave-to.ts";
export type { ListenOptions, ServeOptions } from "./listen-options.ts";
export type { CloseServerOptions } from "./live-connections.ts";
export { type OpenOptions, open } from "./open.ts";
export type { Address, Place } from "./place.ts";
export { type Environment, type HttpProxy, type ProxyChoice, proxyFor } from "./proxies.ts";
export { ProxyRefused, type ResponseHead } from "./proxy-refused.ts";
export { serve } from "./serve.ts";
export { serveUpgrades, Upgrades } from "./serve-upgrades.ts";
export { Server } from "./server.ts";
