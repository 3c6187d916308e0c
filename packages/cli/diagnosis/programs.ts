// Real proxies, each with a configuration of a few lines, on a free port of loopback.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program that listens. */
export interface Started {
  readonly port: number;
  stop(): Promise<void>;
}

/** What a configuration is made of. */
interface Settings {
  readonly port: number;
  readonly folder: string;
}

const TRIES = 200;
const BETWEEN_TRIES_MS = 50;

async function started(
  settings: Settings,
  name: string,
  config: string,
  args: (file: string) => readonly string[],
): Promise<Started> {
  const { folder, port } = settings;
  const file = join(folder, "config");
  writeFileSync(file, config);
  const child = spawn(name, args(file), { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes) => {
      said += bytes;
    });
  }
  const stop = async () => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let left = TRIES; left > 0 && child.exitCode === null; left--) {
    if (await listensOn(port)) return { port, stop };
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
  await stop();
  throw new Error(`${name} does not listen: ${said}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 2_000);
  await exit;
  clearTimeout(timer);
}

function listensOn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

async function newSettings(): Promise<Settings> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const folder = mkdtempSync(join(tmpdir(), "upgrade-diagnosis-"));
  // They may give up root.
  chmodSync(folder, 0o777);
  return { port, folder };
}

/** nginx, with these lines in its location. */
export async function startNginx(location: string): Promise<Started> {
  const settings = await newSettings();
  const { folder, port } = settings;
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = `daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${paths.map((path) => `${path}_temp_path ${folder}/${path};`).join("\n  ")}
  server { listen 127.0.0.1:${port}; location / { ${location} } }
}
`;
  const args = (file: string) => ["-e", `${folder}/error.log`, "-c", file];
  return started(settings, "nginx", config, args);
}

/** haproxy, in front of a server. */
export async function startHaproxy(target: number): Promise<Started> {
  const settings = await newSettings();
  const config = `defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
listen here
  bind 127.0.0.1:${settings.port}
  server target 127.0.0.1:${target}
`;
  return started(settings, "haproxy", config, (file) => ["-f", file]);
}

/** squid, which opens tunnels only for users whom nobody has. */
export async function startSquid(): Promise<Started> {
  const settings = await newSettings();
  const { folder, port } = settings;
  writeFileSync(join(folder, "users"), "");
  const config = `http_port 127.0.0.1:${port}
pid_filename ${folder}/pid
cache_log ${folder}/cache.log
access_log none
cache deny all
shutdown_lifetime 0 seconds
pinger_enable off
coredump_dir ${folder}
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/users
acl users proxy_auth REQUIRED
http_access allow users
http_access deny all
`;
  return started(settings, "squid", config, (file) => ["-N", "-f", file]);
}
