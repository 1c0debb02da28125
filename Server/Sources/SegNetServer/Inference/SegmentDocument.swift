import SegNetToolkit

/// The JSON of a segmented picture.
struct SegmentDocument: Codable, Sendable, Hashable {
    /// A class and its share of the picture.
    struct Part: Codable, Sendable, Hashable {
        var id: Int
        var name: String
        /// `#808080`
        var color: String
        /// 0...1; the shares of all classes sum to 1.
        var share: Double
    }

    /// In milliseconds.
    struct Timing: Codable, Sendable, Hashable {
        var queue: Double
        var decode: Double
        var network: Double
        var encode: Double

        init(_ times: StageTimes) {
            func rounded(_ duration: Duration) -> Double { (duration.milliseconds * 1000).rounded() / 1000 }
            queue = rounded(times.queue)
            decode = rounded(times.decode)
            network = rounded(times.network)
            encode = rounded(times.encode)
        }
    }

    var model: String
    var width: Int
    var height: Int
    /// By id; every class of the model.
    var classes: [Part]
    var samples: Int
    var timing: Timing
    /// PNG files in base64, by kind; absent if none was asked for.
    var images: [String: String]?

    /// The bytes of all pictures, as text.
    var imageBytes: Int { images?.values.reduce(0) { $0 + $1.utf8.count } ?? 0 }
}

enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
