/// A file format whose readers must survive whatever they are given.
public enum FileFormat: String, CaseIterable, Sendable {
    case png, jpeg, safetensors, caffemodel, prototxt
    case tiff, webp, gif, bmp, heic
    case coco, labelme, labelStudio = "label-studio", cvat, yolo

    var mutator: any Mutator {
        switch self {
        case .png: PNGMutator()
        case .jpeg: JPEGMutator()
        case .safetensors: SafetensorsMutator()
        case .caffemodel: ProtobufMutator()
        case .prototxt: PrototxtMutator()
        case .tiff: TIFFMutator()
        case .webp: RIFFMutator()
        case .gif: GIFMutator()
        case .bmp: BMPMutator()
        case .heic: BoxMutator()
        case .coco, .labelme, .labelStudio: TextMutator(form: .json)
        case .cvat: TextMutator(form: .xml)
        case .yolo: TextMutator(form: .lines)
        }
    }
}

/// The kinds of damage to a good file.
public enum MutationKind: String, CaseIterable, Sendable {
    /// Chunks, segments, fields or tokens swapped, repeated, removed, renamed; lengths and headers changed.
    case structure
    /// Cut, extended, spliced; bytes put in or taken out anywhere.
    case length
    /// Other contents in a file whose structure, lengths and checksums are right: these get furthest.
    case payload
}

/// Damages files of one format. Damage depends on the random numbers alone.
protocol Mutator: Sendable {
    /// Damages the structure. Bytes that are not such a file come back unchanged.
    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8]
    /// Changes contents and makes lengths and checksums right again.
    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8]
}

/// A file that its readers accept.
public struct GoodFile: Sendable {
    public let format: FileFormat
    /// The file's name, for reports.
    public let name: String
    public let bytes: [UInt8]

    public init(format: FileFormat, name: String, bytes: [UInt8]) {
        self.format = format
        self.name = name
        self.bytes = bytes
    }
}

/// A damaged file.
public struct MutatedFile: Sendable {
    /// Its number in the campaign.
    public let index: Int
    public let format: FileFormat
    public let kind: MutationKind
    /// The name of the good file it was made from.
    public let origin: String
    public let bytes: [UInt8]

    /// A file name with number and kind, such as `000017-payload.png`.
    public var name: String {
        let digits = String(index)
        return
            "\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits)-\(kind.rawValue).\(format.fileExtension)"
    }
}
