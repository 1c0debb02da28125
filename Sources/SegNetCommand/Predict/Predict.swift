import ArgumentParser
import SegNetToolkit

struct Predict: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Segment pictures, whole folders, or videos.",
        discussion: """
            Writes for each picture, into the output folder:
              STEM.mask.png           class ids, 8 bits, at the picture's own size
              STEM.color.png          the classes in their colours
              STEM.overlay.png        the colours over the picture
            and with --save:
              STEM.confidence.png     the highest probability, black 0, white 1
              STEM.logits.npy         class scores [H, W, K], float32, at the network's resolution
              STEM.probabilities.npy  class probabilities, likewise
              STEM.uncertainty.png    with --samples: how much they differ, black 0, white the most
              STEM.variance.npy       with --samples: variance of the class probabilities, [H, W, K]
              STEM.cutout-CLASS.png   with cutout:CLASS: the pixels of the class, the rest transparent
              shares.csv              with shares: each class's share of each picture, one line per picture
              annotations.*           with polygons: the borders of regions for other programs (--polygons)
              STEM.NAME.npy           the inner blob NAME, [C, H, W] ('segnet info' lists them)
            and for a video:
              STEM.overlay.mp4        the colours over the frames, with the video's sound and times
            and with --save mask,color,shares:
              STEM.mask.mkv           class ids, lossless
              STEM.color.mp4          the classes in their colours
              STEM.shares.csv         each class's share of each frame

            A picture that is not of the network's size is resized, and its mask resized back. Folders are \
            searched for pictures (PNG, JPEG, TIFF, WebP, HEIC, AVIF, GIF, BMP), and their structure is kept. A bad file is reported on \
            standard error, the others are segmented, and the exit code is 1. For a network that reads several files per \
            picture, such as colours and depth, give a .txt list with all files of a picture on one line.

            Videos, cameras and streams need ffmpeg to be installed. Ctrl-C stops them and leaves complete files of the frames done so far.

            EXAMPLES:
              segnet predict photo.jpg --model camvid.safetensors
              segnet predict photos/ --model camvid.safetensors --output masks/
              segnet predict test.txt --model segnet.caffemodel --network segnet.prototxt
              segnet predict photo.jpg --model camvid.safetensors --save mask,probabilities,blob:pool4
              segnet predict photo.jpg --save cutout:Car+Pedestrian --output - > car.png
              segnet predict photos/ --save shares --polygons cvat --tolerance 2
              segnet predict photos/ --polygons labelme --output photos --exclude '*_small*' --skip-existing
              segnet predict photo.jpg --tta flip,scales
              segnet predict photo.jpg --model mine.safetensors --refine crf
              segnet predict photo.jpg --refine crf:5,50,3,3,3,10
              segnet predict large.jpg --edges smooth
              segnet predict aerial.tif --tile 2048x1024 --save mask
              segnet predict photo.jpg --model bayesian.safetensors --samples 40 --save mask,uncertainty
              segnet predict archive.txt --output masks/ --shard 3/64
              segnet predict --merge masks/
              curl -s https://example.org/a.jpg | segnet predict - --model camvid.safetensors --json
              segnet predict clip.mp4 --output clip.overlay.mp4 --smooth 0.6
              segnet predict clip.mp4 --start 60 --duration 10 --save overlay,mask,shares
              segnet predict clip.mp4 --every 10 --frames --save mask
              segnet predict /dev/video0 --duration 30
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Pictures, folders, .txt lists with one path per line, or - for a picture on standard input; or videos, /dev/video0, rtsp://...",
            valueName: "input"
        ),
        completion: .file()
    )
    var inputs: [String] = []

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp(
            "The folder for the results, made if it is missing. For one result of one picture: - for standard output (the mask, "
                + "unless --save names another). For one video: the file, such as clip.overlay.mp4.",
            valueName: "folder"
        ),
        completion: .directory
    )
    var output = Predict.usualOutput

    /// The folder for the results where none is named.
    static let usualOutput = "output"

    @Option(
        help: ArgumentHelp(
            "What to write, comma-separated: \(OutputKind.choices). (default: mask,color,overlay)",
            valueName: "list"
        ),
        transform: OutputKinds.init
    )
    var save: [OutputKinds] = []

    /// The outputs of each picture: all that any `--save` names, once.
    var kinds: [OutputKind] {
        let polygons: [OutputKind] = outputs.polygons == nil ? [] : [.polygons]
        guard !save.isEmpty else {
            return isPipe ? (polygons.isEmpty ? [.mask] : polygons) : OutputKinds.usual + polygons
        }
        var kinds: [OutputKind] = []
        for kind in save.flatMap(\.kinds) + polygons where !kinds.contains(kind) { kinds.append(kind) }
        return kinds
    }

    @OptionGroup var outputs: PredictionOutputOptions

    /// Whether the result goes to standard output.
    var isPipe: Bool { output == "-" }

    @OptionGroup var runSize: RunSizeOptions

    @OptionGroup var tiles: TileOptions

    @OptionGroup var edges: EdgeOptions

    @Option(help: ArgumentHelp("Opacity of the overlay's colours, 0...1.", valueName: "share"))
    var opacity = Predict.usualOpacity

    /// The opacity where none is given.
    static let usualOpacity = 0.5

    @OptionGroup var sampling: SamplingOptions

    @OptionGroup var views: TestTimeAugmentationOptions

    @OptionGroup var refining: RefinementOptions

    @OptionGroup var video: VideoOptions

    @OptionGroup var engine: EngineOptions

    @OptionGroup var shards: ShardOptions

    @Flag(help: "Print one JSON document on standard output.")
    var json = false

    func validate() throws {
        if shards.merge != nil {
            return try shards.checkMerge(self)
        }
        try shards.check(self)
        if inputs.isEmpty { throw ValidationError("Please name at least one picture, folder or list.") }
        guard (0...1).contains(opacity) else {
            throw ValidationError("Please give '--opacity' a number in 0...1; found \(opacity).")
        }
        if opacity != Self.usualOpacity, !kinds.contains(.overlay) {
            throw ValidationError("Please give '--opacity' only with an overlay ('--save overlay').")
        }
        if sampling.samples != nil {
            if kinds.contains(.logits) {
                throw ValidationError(
                    "Please leave 'logits' out with '--samples'; save 'probabilities', the mean over the samples, instead."
                )
            }
        } else {
            if let kind = kinds.first(where: { $0 == .uncertainty || $0 == .variance }) {
                throw ValidationError("Please give '--samples' with '--save \(kind.name)', for example '--samples 40'.")
            }
        }
        if views.augmentation != .none {
            if sampling.samples != nil { throw ValidationError("Please give either '--tta' or '--samples', not both.") }
            if let kind = kinds.first(where: \.belongsToOneView) {
                throw ValidationError(
                    "Please leave '\(kind.name)' out with '--tta'; save 'probabilities', the mean over the views, instead."
                )
            }
        }
        if let same = OutputKind.sharing(kinds, suffix: tiles.fileSuffix(of:)) {
            throw ValidationError(
                "Please save '\(same.first.name)' and '\(same.second.name)' in two calls, each with its own '--output': both would "
                    + "be the file STEM\(same.suffix)."
            )
        }
        try tiles.check(self)
        try refining.check(sampling)
        if refining.refinement != nil, let kind = kinds.first(where: \.belongsToOneView) {
            throw ValidationError(
                "Please leave '\(kind.name)' out with '--refine', which does not change it; save 'probabilities', which are refined, "
                    + "instead."
            )
        }
        try outputs.check(kinds, isPipe: isPipe, json: json)
        if inputs.count(where: { $0 == "-" }) > 1 {
            throw ValidationError("Please give '-' once: standard input holds one picture.")
        }
        try video.check(self)
        try checkFolder()
    }

    /// `--output mask.png` would make a folder of that name.
    private func checkFolder() throws {
        let endsLikePicture = InputList.endings.contains(InputList.ending(of: output)) && !output.hasSuffix("/")
        guard videos.isEmpty, endsLikePicture, FileAccess.kind(of: output) != .folder else { return }
        let target = FileAccess.kind(of: output) == .missing ? " > \(RawFileName.display(output))" : ""
        throw ValidationError(
            "Please give '--output' a folder; for one result in a file, redirect it: '--save overlay --output -\(target)'."
        )
    }

    func run(on console: Console) throws {
        if let folder = shards.merge { return try ShardSummary(folder: folder).tell(folder, json: json, on: console) }
        if !videos.isEmpty { return try VideoRun(options: self, console: console).run() }
        try PredictionRun(options: self, console: console).run()
    }
}
