// What can go wrong, as one kind of error that knows a title, what to do, and whether trying again can help.

export class Failure extends Error {
  /**
   * @param {string} title What happened, in a few words.
   * @param {string} detail What to do about it, in a sentence.
   * @param {{kind?: string, status?: number, retryAfter?: number}} more `kind` tells the page what it can offer:
   *   "retry", "wait", "token", "smaller", "cancelled" or nothing.
   */
  constructor(title, detail, more = {}) {
    super(`${title}: ${detail}`);
    this.title = title;
    this.detail = detail;
    Object.assign(this, more);
  }
}

const TITLES = {
  400: "The server could not read this request",
  401: "This server asks for a token",
  404: "Not found",
  408: "The upload took too long",
  411: "The server needs the length of the upload",
  413: "This picture is too large for the server",
  415: "This is not a picture the server reads",
  503: "The server is busy",
  504: "The server ran out of time",
};

const KINDS = { 401: "token", 408: "retry", 413: "smaller", 500: "retry", 502: "retry", 503: "wait", 504: "smaller" };

/** The failure that a response of the server tells, from its problem+json where it has one. */
export function failureOfResponse(status, contentType, text, retryAfter) {
  let detail = "";
  if ((contentType ?? "").includes("json")) {
    try {
      detail = JSON.parse(text).detail ?? "";
    } catch {
      // A proxy between may have cut it: the status still says what to do.
    }
  }
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  return new Failure(TITLES[status] ?? `The server answered with ${status}`, detail || "Try again in a moment.", {
    kind: KINDS[status],
    status,
    retryAfter: Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 120) : 3,
  });
}

export function failureOfNetwork() {
  if (navigator.onLine === false && !/^(localhost|127\.|\[::1\])/.test(location.host)) {
    return new Failure("You are offline", "Connect to the network, then try again.", { kind: "retry" });
  }
  return new Failure(
    "The server does not answer",
    `Check that segnet-server still runs at ${location.origin}, then try again.`,
    { kind: "retry" },
  );
}

export function failureOfCamera(error) {
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new Failure(
        "The camera is not allowed",
        "Allow it for this page in the browser's address bar, then start it again.",
        { kind: "retry" },
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return new Failure("No camera was found", "Connect one, then try again, or choose a photo.", { kind: "retry" });
    case "NotReadableError":
      return new Failure("The camera is in use", "Close the program that uses it, then try again.", { kind: "retry" });
    default:
      return new Failure(
        "The camera did not start",
        navigator.mediaDevices
          ? `${error?.message || error}. Try again, or choose a photo.`
          : "Browsers give pages a camera only over https, or on localhost. Open the page there, or choose a photo.",
      );
  }
}
