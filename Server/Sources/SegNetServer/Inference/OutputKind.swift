internal import SegNetToolkit

/// The values of `output` and `include`.
enum OutputKind: String, Sendable, CaseIterable {
    case mask
    case color
    case overlay
    case cutout
    case confidence
    case uncertainty
    case probabilities
    case polygons
    case json

    /// Whether it is a PNG, which `include` can name.
    var isImage: Bool {
        switch self {
        case .mask, .color, .overlay, .cutout, .confidence, .uncertainty: true
        case .probabilities, .polygons, .json: false
        }
    }

    /// - Parameter format: The form of polygons.
    func contentType(_ format: AnnotationFormat) -> String {
        switch self {
        case .mask, .color, .overlay, .cutout, .confidence, .uncertainty: "image/png"
        case .probabilities: "application/x-npy"
        case .polygons: format.contentType
        case .json: "application/json"
        }
    }
}

extension AnnotationFormat {
    /// The values of `format`: those that are one file for one picture. COCO panoptic is a PNG and a list.
    static let served = allCases.filter { $0 != .cocoPanoptic }

    var contentType: String {
        switch self {
        case .coco, .cocoRLE, .cocoPanoptic, .labelme, .labelStudio: "application/json"
        case .geoJSON: "application/geo+json"
        case .cvat: "application/xml"
        case .yolo: "text/plain; charset=utf-8"
        }
    }

    /// Whether it has the pixels themselves, and no borders to simplify.
    var isExact: Bool { self == .cocoRLE || self == .cocoPanoptic }
}
