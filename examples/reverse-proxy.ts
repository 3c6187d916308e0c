// A reverse proxy for any request, and for upgrades of WebSocket, Docker and Kubernetes.
import { open, serve } from "@upgrade/node";
import { reverseProxy } from "@upgrade/proxy";

const proxy = reverseProxy({
  origin: "http://127.0.0.1:8081",
  dial: (origin, { signal }) => open(origin, { signal, proxy: false }),
  protocols: ["websocket", "tcp", "SPDY/3.1"],
  via: "edge",
  forwarded: "forwarded",
  onError: (error, { method, target }) => console.error(method, target, String(error)),
  onTunnel: ({ request, protocol, up, down, endedBy }) => {
    console.log(request.target, protocol, `${up} bytes up, ${down} down, ended by ${endedBy}`);
  },
});

const server = await serve(proxy, { port: 8080, host: "127.0.0.1" });
process.once("SIGTERM", () => {
  void proxy.close();
  void server.close();
});
