import SegNetNetworks

/// Where the rows and columns of a blob lie on those of another: what the old CROP computes its offset from.
///
/// A layer maps a coordinate x of its input to a x + b of its output. Convolutions and poolings: a = 1 / stride, b = (padding -
/// (extent - 1) / 2) / stride. Transposed convolutions: a = stride, b = (extent - 1) / 2 - padding. Crops: b = -offset. Others change
/// nothing. Source: `coord_map.py` of fcn.berkeleyvision.org and the `crop_layer.cpp` of DeconvNet's Caffe.
struct CoordinateMaps {
    /// Why no offset follows.
    struct Failure: Error {
        /// Without its full stop.
        let reason: String
    }

    /// One axis.
    struct Map {
        var scale = 1.0
        var offset = 0.0

        /// The composition of both, the other one first.
        func after(_ other: Map) -> Map {
            Map(scale: scale * other.scale, offset: scale * other.offset + offset)
        }

        var inverse: Map { Map(scale: 1 / scale, offset: -offset / scale) }
    }

    /// A blob as one layer left it, and how it came from the first input of that layer.
    private struct Version {
        var parent: Int?
        var rows: Map
        var columns: Map
    }

    private var versions: [Version] = []
    /// The newest version of each blob.
    private var newest: [String: Int] = [:]

    init(_ layers: [Layer]) {
        for layer in layers {
            let parent = layer.inputs.first.map { version(of: $0) }
            let (rows, columns) = Self.maps(layer.operation)
            versions.append(Version(parent: parent, rows: rows, columns: columns))
            for blob in layer.outputs { newest[blob] = versions.count - 1 }
        }
    }

    /// The version of a blob; the network's input appears when it is first read.
    private mutating func version(of blob: String) -> Int {
        if let known = newest[blob] { return known }
        versions.append(Version(parent: nil, rows: Map(), columns: Map()))
        newest[blob] = versions.count - 1
        return versions.count - 1
    }

    private static func maps(_ operation: Operation) -> (rows: Map, columns: Map) {
        func window(_ reach: Double, _ stride: Int, _ padding: Int) -> Map {
            Map(scale: 1 / Double(stride), offset: (Double(padding) - reach / 2) / Double(stride))
        }
        func transposed(_ reach: Double, _ stride: Int, _ padding: Int) -> Map {
            Map(scale: Double(stride), offset: reach / 2 - Double(padding))
        }
        /// From the first tap to the last. No window has been checked yet, and those of a file may be too large to be multiplied.
        func reach(_ size: Int, _ dilation: Int) -> Double { (Double(size) - 1) * Double(dilation) }
        func both(_ w: Window, _ map: (Double, Int, Int) -> Map) -> (Map, Map) {
            (
                map(reach(w.height, w.dilationY), w.strideY, w.paddingY),
                map(reach(w.width, w.dilationX), w.strideX, w.paddingX)
            )
        }
        switch operation {
        case .convolution(let kind): return both(kind.window, window)
        case .maxPooling(let kind): return both(kind.window, window)
        case .averagePooling(let kind): return kind.window.map { both($0, window) } ?? (Map(), Map())
        case .transposedConvolution(let kind): return both(kind.window, transposed)
        case .crop(let kind): return (Map(offset: -Double(kind.top)), Map(offset: -Double(kind.left)))
        default: return (Map(), Map())
        }
    }

    /// From a version up to the network's input: each version on the way, and the map from it to the start.
    private func way(from start: Int) -> [Int: (rows: Map, columns: Map)] {
        var way: [Int: (rows: Map, columns: Map)] = [:]
        var (rows, columns) = (Map(), Map())
        var current: Int? = start
        while let version = current {
            way[version] = (rows, columns)
            rows = rows.after(versions[version].rows)
            columns = columns.after(versions[version].columns)
            current = versions[version].parent
        }
        return way
    }

    /// Where the first row and column of `reference` lie in `blob`.
    /// - Throws: `Failure` if the blobs have nothing in common, other steps, or offsets that are not whole numbers of at least 0.
    func cropOffset(of blob: String, at reference: String) throws(Failure) -> (top: Int, left: Int) {
        if blob == reference { return (0, 0) }
        // A network's input that no layer has read is in no way related to anything.
        guard let from = newest[blob], let to = newest[reference] else {
            throw Failure(reason: "no layer relates '\(blob)' to '\(reference)'")
        }
        let (fromWay, toWay) = (way(from: from), way(from: to))
        guard let common = fromWay.keys.filter({ toWay[$0] != nil }).max(), let a = fromWay[common],
            let b = toWay[common]
        else { throw Failure(reason: "'\(blob)' and '\(reference)' do not come from the same blob") }
        func offset(_ from: Map, _ to: Map) throws(Failure) -> Int {
            let map = to.after(from.inverse)
            guard abs(map.scale - 1) < 1e-9 else {
                throw Failure(reason: "a step of '\(blob)' is \(map.scale) steps of '\(reference)', where it must be 1")
            }
            let offset = -map.offset
            guard abs(offset - offset.rounded()) < 1e-6, (0...1e6).contains(offset.rounded()) else {
                throw Failure(reason: "the offset would be \(offset), where a whole number of at least 0 is needed")
            }
            return Int(offset.rounded())
        }
        return (try offset(a.rows, b.rows), try offset(a.columns, b.columns))
    }
}
