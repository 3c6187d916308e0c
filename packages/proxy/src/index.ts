// Proxies for HTTP/1.1: what goes through them may be any request, and any upgrade that is named.

export { canonicalAddress, type Tap } from "@upgrade/core/io";
export type { OnTunnel, TunnelAccount } from "./accounts.ts";
export { isPublicAddress } from "./addresses.ts";
export type {
  ConnectProxyOptions,
  Destination,
  DialPlace,
  Place,
  User,
} from "./connect-options.ts";
export { type ConnectProxy, connectProxy } from "./connect-proxy.ts";
export type { ProxyErrorType } from "./failure.ts";
export type { ForwardedFields, RequestClient } from "./forwarded.ts";
export type { ForwardingOptions } from "./forwarding.ts";
export type { ChooseOrigin, Dial, DialOptions, ReverseProxyOptions } from "./options.ts";
export { type ReverseProxy, reverseProxy } from "./reverse-proxy.ts";
