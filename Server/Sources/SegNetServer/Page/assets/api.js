// The server's HTTP interface, as openapi.json describes it.
import { failureOfNetwork, failureOfResponse } from "./failures.js";

const TOKEN_KEY = "segnet.token";

export function setToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
}

export function hasToken() {
  return sessionStorage.getItem(TOKEN_KEY) !== null;
}

/** The header that shows the server's token, if there is one. */
export function authorization() {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function getJSON(path) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" } });
  } catch {
    throw failureOfNetwork();
  }
  if (!response.ok) {
    const text = await response.text();
    throw failureOfResponse(
      response.status,
      response.headers.get("Content-Type"),
      text,
      response.headers.get("Retry-After"),
    );
  }
  return response.json();
}

export const models = async () => (await getJSON("/v1/models")).models;
export const samples = async () => (await getJSON("/v1/samples")).samples;

export async function sampleBlob(url) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw failureOfNetwork();
  }
  if (!response.ok) throw failureOfResponse(response.status, "", "", null);
  return response.blob();
}

/** "queue;dur=0.1, network;dur=41" as {queue: 0.1, network: 41}. */
export function parseServerTiming(header) {
  const timing = {};
  for (const part of (header ?? "").split(",")) {
    const [name, ...rest] = part.trim().split(";");
    const duration = rest.map((item) => item.trim()).find((item) => item.startsWith("dur="));
    if (name && duration) timing[name] = Number(duration.slice(4));
  }
  return timing;
}

/**
 * POST /v1/segment. XMLHttpRequest, since fetch does not tell how far an upload is.
 *
 * @param {Blob} picture PNG or JPEG.
 * @param {Record<string, string|number>} parameters The query: model, output, include, size, samples.
 * @param {{signal?: AbortSignal, onUpload?: (share: number) => void, name?: string}} options With a name it goes as a form,
 *   so that the server's errors name the file.
 * @returns {Promise<{bytes: Uint8Array, timing: Record<string, number>}>}
 * @throws {Failure} and an AbortError when the signal says so.
 */
export function segment(picture, parameters, { signal, onUpload, name } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const finish = (settle, value) => {
      signal?.removeEventListener("abort", stop);
      settle(value);
    };
    const aborted = () => new DOMException("cancelled", "AbortError");
    if (signal?.aborted) return reject(aborted());
    signal?.addEventListener("abort", stop);

    request.open("POST", `/v1/segment?${new URLSearchParams(parameters)}`);
    request.responseType = "arraybuffer";
    let body = picture;
    if (name) {
      body = new FormData();
      body.append("image", picture, name);
    } else {
      request.setRequestHeader("Content-Type", picture.type || "application/octet-stream");
    }
    for (const [header, value] of Object.entries(authorization())) request.setRequestHeader(header, value);
    if (onUpload) {
      request.upload.onprogress = (event) => event.lengthComputable && onUpload(event.loaded / event.total);
      request.upload.onload = () => onUpload(1);
    }
    request.onabort = () => finish(reject, aborted());
    request.onerror = () => finish(reject, failureOfNetwork());
    request.onload = () => {
      const bytes = new Uint8Array(request.response ?? []);
      if (request.status === 200) {
        return finish(resolve, { bytes, timing: parseServerTiming(request.getResponseHeader("Server-Timing")) });
      }
      finish(
        reject,
        failureOfResponse(
          request.status,
          request.getResponseHeader("Content-Type"),
          new TextDecoder().decode(bytes),
          request.getResponseHeader("Retry-After"),
        ),
      );
    };
    request.send(body);
  });
}
