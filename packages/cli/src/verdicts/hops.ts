// judge → [hops] → verdicts: what to change in the software that answered

/** What is known of a proxy by its `Server` or `Via`. */
export interface Software {
  readonly name: string;
  /** How it relays an upgrade. */
  readonly relays: string;
  /** What limits the silence. */
  readonly idle: string;
}

interface Known extends Software {
  readonly matches: RegExp;
}

const SOFTWARE: readonly Known[] = [
  {
    matches: /\b(?:nginx|openresty|tengine)\b/i,
    name: "nginx",
    relays:
      'in nginx\'s location: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";',
    idle: "raise nginx's proxy_read_timeout and proxy_send_timeout",
  },
  {
    matches: /\bapache\b/i,
    name: "Apache",
    relays:
      "in Apache: ProxyPass with upgrade=websocket (mod_proxy_http, 2.4.47 and later) or mod_proxy_wstunnel",
    idle: "raise Apache's ProxyWebsocketIdleTimeout, or the timeout of ProxyPass",
  },
  {
    matches: /\bhaproxy\b/i,
    name: "haproxy",
    relays:
      "in haproxy: mode http, without option httpclose, and no http-request del-header for Upgrade or Connection",
    idle: "raise haproxy's timeout tunnel",
  },
  {
    matches: /\bsquid\b/i,
    name: "squid",
    relays:
      "in squid: http_upgrade_request_protocols websocket allow all, or a tunnel by CONNECT: --proxy",
    idle: "raise squid's read_timeout and client_lifetime",
  },
  {
    matches: /\b(?:envoy|istio)/i,
    name: "Envoy",
    relays:
      "in Envoy: upgrade_configs: [{ upgrade_type: websocket }] of the HTTP connection manager",
    idle: "raise Envoy's stream_idle_timeout",
  },
  {
    matches: /\bvarnish\b/i,
    name: "Varnish",
    relays:
      "in Varnish: return (pipe) in vcl_recv for requests with Upgrade, and set bereq.http.upgrade in vcl_pipe",
    idle: "raise Varnish's pipe_timeout",
  },
  {
    matches: /\bcloudflare\b/i,
    name: "Cloudflare",
    relays: "at Cloudflare: turn on Network, WebSockets",
    idle: "Cloudflare ends silent connections after 100 s: send pings",
  },
  {
    matches: /\b(?:awselb|cloudfront)\b/i,
    name: "the load balancer of AWS",
    relays:
      "at AWS: use an Application Load Balancer, and in CloudFront forward the Sec-WebSocket fields",
    idle: "raise idle_timeout.timeout_seconds of the load balancer",
  },
  {
    matches: /\bmicrosoft-iis\b/i,
    name: "IIS",
    relays:
      "in IIS: install the WebSocket Protocol feature; for a proxy, Application Request Routing 3",
    idle: "raise IIS's connectionTimeout",
  },
];

const UNKNOWN: Software = {
  name: "a proxy",
  relays:
    'send Upgrade and Connection on to the server, over HTTP/1.1 (nginx: proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade, proxy_set_header Connection "upgrade")',
  idle: "raise the idle time of the proxy or of the server (nginx: proxy_read_timeout; haproxy: timeout tunnel)",
};

/** The software that these texts name; undefined if none is known. */
export function softwareIn(...texts: readonly string[]): Software | undefined {
  return SOFTWARE.find(({ matches }) => texts.some((text) => matches.test(text)));
}

export const softwareOr = (known: Software | undefined): Software => known ?? UNKNOWN;
