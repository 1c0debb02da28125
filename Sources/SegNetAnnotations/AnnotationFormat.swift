/// The formats in which the borders of regions are written. Raw values are what `--polygons` and `--to` take.
public enum AnnotationFormat: String, Sendable, CaseIterable, Codable {
    /// COCO instances: a polygon for each region.
    case coco
    /// COCO instances: compressed run lengths for each region.
    case cocoRLE = "coco-rle"
    /// COCO panoptic: PNGs of segment numbers with a list; one segment for each class.
    case cocoPanoptic = "coco-panoptic"
    /// labelme's JSON, one file per picture.
    case labelme
    /// "CVAT for images 1.1".
    case cvat
    /// Label Studio's JSON.
    case labelStudio = "label-studio"
    /// GeoJSON: a feature for each region, in pixels or in the coordinates of a GeoTIFF or a world file.
    case geoJSON = "geojson"
    /// YOLO's text, one file per picture.
    case yolo

    /// One line for help texts.
    public var summary: String {
        switch self {
        case .coco: "COCO instances with polygons"
        case .cocoRLE: "COCO instances with run lengths, exact to the pixel"
        case .cocoPanoptic: "COCO panoptic: PNGs and their list"
        case .labelme: "labelme's JSON"
        case .cvat: "CVAT for images 1.1"
        case .labelStudio: "Label Studio's JSON"
        case .geoJSON: "GeoJSON in map coordinates if the picture has them, else in pixels"
        case .yolo: "YOLO's text files"
        }
    }

    /// Whether one file can hold several pictures.
    public var holdsSeveral: Bool {
        switch self {
        case .coco, .cocoRLE, .cocoPanoptic, .cvat, .labelStudio, .geoJSON: true
        case .labelme, .yolo: false
        }
    }

    /// Whether one file for all pictures is what its programs expect.
    public var isUsuallyOneFile: Bool { holdsSeveral && self != .geoJSON }

    /// What follows the picture's stem in the name of a file for one picture.
    public var suffix: String {
        switch self {
        // These programs look for the picture's name with another ending.
        case .labelme: ".json"
        case .yolo: ".txt"
        case .coco, .cocoRLE: ".coco.json"
        case .cocoPanoptic: ".panoptic.json"
        case .cvat: ".cvat.xml"
        case .labelStudio: ".label-studio.json"
        case .geoJSON: ".geojson"
        }
    }

    /// The name of one file for all pictures.
    public var fileName: String {
        switch self {
        case .cvat: "annotations.xml"
        case .labelme, .yolo: "annotations"
        case .coco, .cocoRLE, .cocoPanoptic, .labelStudio, .geoJSON: "annotations\(suffix)"
        }
    }
}
