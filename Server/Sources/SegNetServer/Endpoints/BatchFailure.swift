internal import HTTPTypes
internal import HummingbirdCore

/// A batch of which no picture could be segmented. It is an error as a whole, so that whoever looks at the status alone, as `curl -f`,
/// proxies and alarms do, does not take it for a success.
struct BatchFailure: Sendable {
    let problem: Problem

    /// A problem document that has each picture's error, too.
    struct Document: Codable, Sendable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var requestId: String
        var results: [BatchEndpoint.Document.Entry]
    }

    /// - Parameters:
    ///   - problems: Of the pictures that failed, in the order of the form.
    ///   - count: Of all pictures.
    /// - Returns: nil if a picture was segmented.
    init?(_ problems: [Problem], of count: Int) {
        guard problems.count == count, let first = problems.first else { return nil }
        guard count > 1 else {
            problem = first
            return
        }
        let codes = Set(problems.map(\.status.code))
        // Of several reasons, one of the service's own decides: asking again may help. Otherwise none says it better than 422.
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
