/// The values of `output` and `include`.
enum OutputKind: String, Sendable, CaseIterable {
    case mask
    case color
    case overlay
    case confidence
    case uncertainty
    case probabilities
    case json

    /// Whether it is a PNG, which `include` can name.
    var isImage: Bool { self != .probabilities && self != .json }

    var contentType: String {
        switch self {
        case .mask, .color, .overlay, .confidence, .uncertainty: "image/png"
        case .probabilities: "application/x-npy"
        case .json: "application/json"
        }
    }
}
