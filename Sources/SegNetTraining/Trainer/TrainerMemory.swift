import SegNetCPU
import SegNetData
import SegNetNetworks
import SegNetPlatform

/// The memory that a training takes at its peak, by batch size, before any of it is allocated.
///
/// A step's maps, the batches that are made ahead, and what validation and the statistics at the end take in addition; what decoded
/// pictures may take of the rest.
struct TrainerMemory {
    let parameters: Parameters
    /// Copies of all parameters: values, gradients, what the optimiser remembers, an average.
    let copies: Int
    /// Size of the pictures that a step trains on.
    let width: Int
    let height: Int
    /// Size of whole pictures.
    let pictureSize: PictureSize
    let channels: Int
    let planes: Int
    let accumulate: Int
    let threads: Int
    /// Bytes of a teacher, by batch size.
    var teacherBytes: (Int) -> Int = { _ in 0 }
    /// Bytes that loading the model to start from takes for a while, where that is a wider one.
    var startBytes = 0
    /// Whether statistics are taken from whole pictures in batches; else validation alone runs, one picture at a time.
    let takesStatistics: Bool
    /// The pictures of a batch, and those of them that this process trains on. Each rank takes statistics over whole batches, as all ranks
    /// need the same.
    var share = (all: 1, own: 1)

    /// Batches that wait, and those being made and consumed at the same time.
    static let batchesAhead = 3

    /// Bytes of a training with batches of one size.
    struct Need {
        /// The maps and gradients of a step.
        var step = 0
        /// All copies of the parameters, those of a validation's own model included.
        var parameters = 0
        /// Batches made ahead of the network.
        var batches = 0
        /// The maps of validation, or of statistics with their pictures, which run while those of a step stay.
        var validation = 0
        /// A teacher's weights and maps.
        var teacher = 0
        /// What is there while the model to start from is loaded. It is released before the first step, until which the maps of a step and
        /// most copies of the parameters take nothing.
        var start = 0

        var training: Int { step + parameters + batches + validation + teacher }
        var total: Int { max(training, start) }
    }

    func need(batchSize: Int) throws(NetworkError) -> Need {
        func workspace(
            _ batch: Int,
            _ width: Int,
            _ height: Int,
            runsBackward: Bool = true
        ) throws(NetworkError) -> Int {
            try TrainingPlan(
                parameters.layout,
                batchSize: batch,
                height: height,
                width: width,
                runsBackward: runsBackward
            ).workspaceBytes(threads: threads)
        }
        var need = Need()
        need.step = try workspace(batchSize, width, height)
        // Validation has a model of its own, which is packed once more; statistics have parameters and gradients.
        need.parameters = (copies + 3) * parameters.layout.count * 4
        need.batches =
            (Self.batchesAhead + 1 + accumulate) * batchSize
            * Example.byteCount(width: width, height: height, channels: channels, planes: planes)
        need.teacher = teacherBytes(batchSize)
        need.start = startBytes + parameters.layout.count * 4 + need.teacher
        // Inference keeps fewer maps than a training plan of one picture, which is taken for it here.
        guard takesStatistics else {
            need.validation = try workspace(1, pictureSize.width, pictureSize.height)
            return need
        }
        let whole = (batchSize * share.all + share.own - 1) / share.own
        let pictures = StatisticsPass.batchSize(training: whole, rule: .exact)
        need.validation =
            try workspace(pictures, pictureSize.width, pictureSize.height, runsBackward: false) + pictures * wholeBytes
        return need
    }

    /// Bytes of a whole picture.
    private var wholeBytes: Int {
        Example.byteCount(width: pictureSize.width, height: pictureSize.height, channels: channels, planes: planes)
    }

    /// Bytes of the whole training, and those of them that decoded pictures may take.
    /// - Throws: `TrainingMemoryError` with the largest batch that fits; `NetworkError` if the network does not fit the pictures.
    func planned(batchSize: Int, wantedCache: Int, pictures: Int, available: Int?) throws -> (all: Int, cache: Int) {
        let need = try checked(batchSize: batchSize, available: available)
        let cache = cacheBytes(need, wanted: wantedCache, pictures: pictures, available: available)
        return (max(need.training + cache, need.start), cache)
    }

    /// Bytes that decoded pictures may take: as many as wanted and needed, and no more than is left.
    private func cacheBytes(_ need: Need, wanted: Int, pictures: Int, available: Int?) -> Int {
        let all = min(wanted, pictures * wholeBytes)
        return max(0, min(all, (available ?? .max) - need.training))
    }

    /// - Returns: The bytes that the training takes.
    /// - Throws: `TrainingMemoryError` with the largest batch that fits; `NetworkError` if the network does not fit the pictures.
    private func checked(batchSize: Int, available: Int?) throws -> Need {
        let need = try need(batchSize: batchSize)
        guard let available, need.total > available else { return need }
        let isOfStart = need.training <= available
        var fitting = isOfStart ? 0 : batchSize - 1
        while fitting > 0, try self.need(batchSize: fitting).total > available { fitting -= 1 }
        throw TrainingMemoryError(
            batchSize: batchSize,
            height: height,
            width: width,
            byteCount: need.total,
            available: available,
            fittingBatchSize: fitting,
            wholePictures: need.validation > need.step ? pictureSize : nil,
            isOfStart: isOfStart
        )
    }
}
