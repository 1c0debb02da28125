extension FileFormat {
    /// The file name's ending, without the dot.
    public var fileExtension: String {
        switch self {
        case .jpeg: "jpg"
        case .tiff: "tif"
        case .coco, .labelme, .labelStudio: "\(rawValue).json"
        case .cvat: "cvat.xml"
        case .yolo: "yolo-labels.txt"
        case .png, .safetensors, .caffemodel, .prototxt, .webp, .gif, .bmp, .heic: rawValue
        }
    }

    /// The format that a file's name stands for, if any: by its ending, and where several forms of annotations share one, by a word
    /// anywhere in the name. Names may be those of paths.
    public init?(fileName: String) {
        let name = fileName.lowercased()
        let ending = name.split(separator: ".").last.map(String.init) ?? ""
        switch ending {
        case "jpg", "jpeg": self = .jpeg
        case "tif", "tiff": self = .tiff
        // One library reads both.
        case "heic", "avif": self = .heic
        case "json":
            if name.contains("labelme") {
                self = .labelme
            } else if name.contains("label-studio") {
                self = .labelStudio
            } else if name.contains("coco") || name.contains("panoptic") {
                self = .coco
            } else {
                return nil
            }
        case "xml":
            guard name.contains("cvat") else { return nil }
            self = .cvat
        case "txt":
            guard name.contains("yolo"), name.contains("labels") else { return nil }
            self = .yolo
        case "png", "safetensors", "caffemodel", "prototxt", "webp", "gif", "bmp":
            guard let format = FileFormat(rawValue: ending) else { return nil }
            self = format
        default: return nil
        }
    }
}
