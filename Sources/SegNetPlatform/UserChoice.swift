/// What a user can set, in the words of error messages: "use a smaller picture size". Who prints a message adds what the setting is called
/// there: the command its option, `--size`.
public enum UserChoice: String, Sendable, CaseIterable, CustomStringConvertible {
    case size = "picture size"
    case threads = "number of threads"
    case precision = "weight precision"
    case model = "model file"
    case network = "network file"
    case statistics = "pictures for statistics"
    case classNames = "table of class names"
    case views = "test-time augmentation"
    case output = "output folder"
    case dataset = "kind of data set"
    case data = "data folder"
    case classes = "table of classes"
    case inputs = "files of a picture"
    case labelChange = "label change"
    case labelOffset = "label offset"
    case labelSuffix = "suffix of label names"
    case unlabelled = "meaning of unlabelled pixels"
    case crop = "crop of the pictures"
    case coloredLabels = "labels in colours"
    case ignoredLabels = "ignored labels"
    case masks = "folder of masks"
    case resuming = "resume the training"
    case retraining = "train it anew"
    case batchSize = "batch size"
    case validationShare = "share of validation pictures"
    case learningRate = "learning rate"
    case storage = "map storage"
    case eventLog = "TensorBoard log"
    case mean = "mean of the pictures"
    case tile = "size of tiles"
    case overlap = "overlap of tiles"
    case refinement = "refinement of the result"

    /// The words; no message contains one for anything but its setting.
    public var description: String { rawValue }
}
