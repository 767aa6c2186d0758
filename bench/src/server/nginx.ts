import { TestServer } from "@sluice/test-server"
import type { Identity } from "@sluice/test-server/TestAuthority"
import * as Effect from "effect/Effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs/promises"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"

/** `nginx/1.22.1`, or nothing if it is not installed. */
export const version = (): string | undefined => {
  try {
    // It says so on its standard error.
    execFileSync("nginx", ["-v"], { stdio: "ignore" })
    const said = execFileSync("sh", ["-c", "nginx -v 2>&1"], { encoding: "utf8" })
    return /nginx\/[\d.]+/.exec(said)?.[0] ?? "nginx"
  } catch {
    return undefined
  }
}

export const unusedPort = (): Promise<number> => Effect.runPromise(TestServer.unusedPort)

const configuration = (ports: Nginx["ports"], small: string, held: string) => `
daemon off;
pid nginx.pid;
error_log stderr error;
worker_processes 1;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off;
  default_type application/json;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  http2_max_concurrent_streams 256;
  client_max_body_size 0;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  # A server that responds without reading would throw a body away behind its response. A proxy reads all of it first.
  client_body_buffer_size 256k;
  upstream taken { server unix:taken.sock; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen unix:taken.sock;
    return 200 '${small}';
  }
  server {
    listen 127.0.0.1:${ports.http} backlog=4096;
    listen 127.0.0.1:${ports.https} ssl backlog=4096;
    listen 127.0.0.1:${ports.http2} ssl http2 backlog=4096;
    listen 127.0.0.1:${ports.h2c} http2 backlog=4096;
    root files;
    location = /small { return 200 '${small}'; }
    location = /distinct {
      add_header x-request-id $request_id;
      add_header x-number $connection_requests;
      add_header x-time $msec;
      add_header etag '"$request_id-$msec"';
      add_header set-cookie "visit=$request_id; path=/";
      return 200 '${small}';
    }
    location = /hold { proxy_pass ${held}; proxy_read_timeout 600s; }
    location = /v1/traces { return 200 '{}'; }
    location = /upload {
      proxy_pass http://taken;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
      proxy_http_version 1.1;
    }
  }
}
`

export interface Nginx {
  readonly process: ChildProcess
  readonly ports: { readonly http: number; readonly https: number; readonly http2: number; readonly h2c: number }
}

/** Runs nginx in a new folder below `folder`: one worker, connections kept for ever, files of the given sizes. */
export const start = async (
  folder: string,
  identity: Identity,
  small: string,
  /** Where requests go whose response is not to come. */
  held: string,
  files: Readonly<Record<string, number | string>>
): Promise<Nginx> => {
  const ports = {
    http: await unusedPort(),
    https: await unusedPort(),
    http2: await unusedPort(),
    h2c: await unusedPort()
  }
  await fs.mkdir(path.join(folder, "files"), { recursive: true })
  await fs.writeFile(path.join(folder, "nginx.conf"), configuration(ports, small, held))
  await fs.writeFile(path.join(folder, "certificate.pem"), identity.certificate)
  await fs.writeFile(path.join(folder, "key.pem"), identity.key)
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, "files", name)
    await fs.writeFile(file, typeof content === "string" ? content : "")
    // A file of zeros that takes no room.
    if (typeof content === "number") await fs.truncate(file, content)
  }
  // A worker of a nginx that root started runs as somebody else, who must be able to read them.
  await fs.chmod(folder, 0o755)
  const args = ["-p", `${folder}/`, "-c", "nginx.conf", "-e", "stderr"]
  const process = spawn("nginx", args, { stdio: ["ignore", "inherit", "inherit"] })
  await responding(ports.http)
  return { process, ports }
}

export const responding = async (port: number): Promise<void> => {
  const until = performance.now() + 5000
  while (performance.now() < until) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1")
        .on("connect", () => (socket.destroy(), resolve(true)))
        .on("error", () => resolve(false))
    })
    if (connected) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`nobody responds at port ${port}`)
}

export const temporaryFolder = (): Promise<string> => fs.mkdtemp(path.join(os.tmpdir(), "sluice-bench-"))
