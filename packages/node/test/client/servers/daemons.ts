import { TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { turn } from "../support.js"

/** A server of the world, as one configuration file and the command that runs it in the foreground. */
export interface Daemon {
  readonly name: string
  readonly command: string | undefined
  readonly config: (folder: string, port: number) => string
  readonly args: (config: string) => ReadonlyArray<string>
  /** Starts new workers and lets the old ones finish. */
  readonly reload: NodeJS.Signals
  /** How it takes a body: where a request with this method gets it back, or stores it under its own URL. */
  readonly upload: { readonly method: "POST" | "PUT"; readonly path: string }
}

/** Requests that one connection may carry. Apache and lighttpd do not count the first one. */
export const keepAliveRequests = 7

const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"]

const find = (name: string): string | undefined =>
  folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file))

const nginx: Daemon = {
  name: "nginx",
  command: find("nginx"),
  reload: "SIGHUP",
  upload: { method: "PUT", path: "/put" },
  args: (config) => ["-c", config, "-e", "stderr"],
  config: (folder, port) => `
    daemon off; worker_processes 2; pid ${folder}/pid; error_log stderr crit;
    ${process.getuid?.() === 0 ? "user root;" : ""}
    events { worker_connections 64; }
    http {
      access_log off; keepalive_requests ${keepAliveRequests}; client_max_body_size 64m;
      client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
      uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
      server {
        listen 127.0.0.1:${port}; root ${folder}/www;
        location /put { dav_methods PUT; }
      }
    }`
}

const apacheModules = "/usr/lib/apache2/modules"

const apache: Daemon = {
  name: "Apache",
  command: fs.existsSync(`${apacheModules}/mod_reflector.so`) ? find("apache2") : undefined,
  reload: "SIGUSR1",
  upload: { method: "POST", path: "/reflect" },
  args: (config) => ["-d", path.dirname(config), "-f", config, "-D", "FOREGROUND"],
  config: (folder, port) => `
${
    ["mpm_event", "authz_core", "reflector"]
      .map((name) => `LoadModule ${name}_module ${apacheModules}/mod_${name}.so`).join("\n")
  }
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
ErrorLog ${folder}/errors
${process.getuid?.() === 0 ? "User www-data\nGroup www-data" : ""}
StartServers 2
ThreadsPerChild 8
MaxRequestWorkers 16
KeepAlive On
KeepAliveTimeout 5
MaxKeepAliveRequests ${keepAliveRequests - 1}
DocumentRoot ${folder}/www
<Location /reflect>
  SetHandler reflector
</Location>
`
}

const lighttpd: Daemon = {
  name: "lighttpd",
  command: find("lighttpd"),
  reload: "SIGUSR1",
  upload: { method: "POST", path: "/echo.cgi" },
  args: (config) => ["-D", "-f", config],
  config: (folder, port) => `
    server.modules = ("mod_cgi")
    server.bind = "127.0.0.1"
    server.port = ${port}
    server.document-root = "${folder}/www"
    server.max-keep-alive-requests = ${keepAliveRequests - 1}
    server.stream-request-body = 0
    server.upload-dirs = ("${folder}")
    server.errorlog = "${folder}/errors"
    cgi.assign = (".cgi" => "/bin/sh")
  `
}

export const daemons: ReadonlyArray<Daemon> = [nginx, apache, lighttpd]

const listens = (port: number) =>
  Effect.async<boolean>((resume) => {
    const socket = net.connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.once("error", () => resume(Effect.succeed(false)))
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sluice-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

const stop = (child: ChildProcess) =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGTERM")
  })

/** Runs the server in a folder of its own until the scope ends. */
export const start = (daemon: Daemon) =>
  Effect.gen(function*() {
    const home = yield* folder
    const port = yield* TestServer.unusedPort
    fs.chmodSync(home, 0o755)
    fs.mkdirSync(`${home}/www/put`, { recursive: true })
    fs.writeFileSync(`${home}/www/small.txt`, "small")
    fs.writeFileSync(`${home}/www/large.bin`, Buffer.alloc(3 << 20, "x"))
    fs.writeFileSync(`${home}/www/echo.cgi`, "printf 'Content-Type: application/octet-stream\\r\\n\\r\\n'; exec cat\n")
    const config = `${home}/config`
    fs.writeFileSync(config, daemon.config(home, port))
    let said = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(daemon.command!, daemon.args(config), { stdio: ["ignore", "ignore", "pipe"] })),
      stop
    )
    child.stderr.on("data", (text) => said += String(text))
    while (!(yield* listens(port))) {
      if (child.exitCode !== null) return yield* Effect.dieMessage(`${daemon.name} does not start: ${said}`)
      yield* turn
    }
    return {
      url: `http://127.0.0.1:${port}`,
      reload: Effect.sync(() => child.kill(daemon.reload))
    }
  })
