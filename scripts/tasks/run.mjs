// Runs programs of the workspace in the foreground.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A program in the workspace's node_modules, by path, which works on every system. */
export function local(file) {
  return join(root, "node_modules", file);
}

/** Runs a script with this Node, and exits if it fails. */
export async function node(file, args = [], options = {}) {
  await run(process.execPath, [resolve(root, file), ...args], options);
}

export async function turbo(task, ...args) {
  const quietly = ["--output-logs=errors-only", "--ui=stream"];
  await node(local("turbo/bin/turbo"), ["run", task, ...quietly, ...args]);
}

/** Runs pnpm, which on Windows is a shell script. */
export async function pnpm(args, options = {}) {
  await run("pnpm", args, { shell: process.platform === "win32", ...options });
}

async function run(command, args, options) {
  const code = await exitCode(command, args, options);
  if (code !== 0) process.exit(code);
}

/** Runs a command and forwards signals to it; `env` is added to the environment. */
export async function exitCode(command, args, { env, ...options } = {}) {
  const child = spawn(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
    ...options,
  });
  const stopForwarding = forwardSignals(child);
  try {
    return await new Promise((settle, fail) => {
      child.on("error", fail);
      child.on("close", (code) => settle(code ?? 1));
    });
  } finally {
    stopForwarding();
  }
}

function forwardSignals(child) {
  const forward = (signal) => {
    // A terminal also sends Ctrl-C to the child; many programs take a second one as "quit now".
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}
