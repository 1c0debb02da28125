internal import HTTPTypes
internal import HummingbirdCore

/// A batch in which no picture could be segmented. It is an error as a whole, so that programs that look at the status
/// alone, such as `curl -f`, proxies and alarms, do not take it for a success.
struct BatchFailure: Sendable {
    let problem: Problem

    /// A problem document that also contains each picture's error.
    struct Document: Codable, Sendable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var requestId: String
        var results: [BatchEndpoint.Document.Entry]
    }

    /// - Parameters:
    ///   - problems: The problems of the pictures that failed, in the order of the form.
    ///   - count: The number of all pictures.
    /// - Returns: nil if a picture was segmented.
    init?(_ problems: [Problem], of count: Int) {
        guard problems.count == count, let first = problems.first else { return nil }
        guard count > 1 else {
            problem = first
            return
        }
        let codes = Set(problems.map(\.status.code))
        // Among several reasons, one on the service's side decides, since trying again may help. Otherwise 422 is the
        // best common status.
        let status: HTTPResponse.Status =
            codes.count == 1 ? first.status : codes.contains { $0 >= 500 } ? .serviceUnavailable : .unprocessableContent
        var headers: HTTPFields = [:]
        if status == .serviceUnavailable {
            let seconds = problems.compactMap { $0.headers[.retryAfter].flatMap { Int($0) } }
            headers[.retryAfter] = "\(seconds.max() ?? 1)"
        }
        problem = Problem(
            status,
            "None of the \(count) pictures could be segmented; 'results' has the reason for each. The first: \(first.detail)",
            headers: headers
        )
    }

    func response(_ results: [BatchEndpoint.Document.Entry], requestID: String) -> Response {
        let plain = problem.document(requestID: requestID)
        return problem.response(
            Document(
                type: plain.type,
                title: plain.title,
                status: plain.status,
                detail: plain.detail,
                requestId: plain.requestId,
                results: results
            )
        )
    }
}
