public import SegNetCPU
internal import SegNetImages
internal import SegNetPlatform

extension Segmenter {
    /// The network's geometry that cutting into tiles needs; nil if its tiles cannot give the result of the whole picture.
    public var reach: NetworkReach? { prepared.reach }

    /// The places of the tiles in a picture of this size.
    /// - Throws: `SegmenterError` if a tile is smaller than the network's stride, or consists of overlap only.
    package func tilePlan(_ tiling: Tiling, width: Int, height: Int) throws(SegmenterError) -> TilePlan {
        do throws(TilingProblem) {
            return try TilePlan(
                tiling,
                width: width,
                height: height,
                reach: reach,
                blends: !options.classesOnly
            )
        } catch {
            throw failure(error.reason)
        }
    }

    /// Whether a picture of this size can run in one piece in the memory that is free.
    package func fits(width: Int, height: Int) throws -> Bool {
        guard let available = MachineMemory.available else { return true }
        let threads = options.threads ?? ThreadPool.availableCores
        let maps = try prepared.plan(height: height, width: width, threads: threads).workspaceBytes(threads: threads)
        // The picture, its classes at 2 bytes per pixel, and what is made from them.
        return saturatingSum([maps, saturatingProduct(width, height, 16)]) <= available
    }

    /// Whether a request asks for nothing that needs the whole picture at once.
    package func canTile(_ request: Request) -> Bool {
        request.runs == .once && request.refinement == nil && request.blobs.isEmpty
            && request.keeps.isSubset(of: [.confidence])
    }

    /// - Throws: `SegmenterError` if the request asks for something that tiles cannot give.
    func checkTiles(_ request: Request) throws(SegmenterError) {
        if case .fixed(let width, let height) = request.size {
            throw failure(
                "tiles run at the picture's own size, but \(width)x\(height) was asked for; leave out the tiles or the \(UserChoice.size)."
            )
        }
        guard canTile(request) else {
            throw failure(
                "tiles give only classes and confidence, from one run each; leave out the tiles, or samples, views, refinement, "
                    + "probabilities, scores and blobs."
            )
        }
    }

    /// A picture in memory, tile by tile.
    func tiled(_ picture: MultichannelImage, _ tiling: Tiling, _ request: Request, _ watch: inout StageWatch) throws
        -> Answer
    {
        var answer = Answer(width: picture.width, height: picture.height, classIDs: [])
        answer.classIDs.reserveCapacity(picture.width * picture.height)
        let keepsConfidence = request.keeps.contains(.confidence)
        if keepsConfidence { answer.confidence = [] }
        let plan = try tilePlan(tiling, width: picture.width, height: picture.height)
        var run = TiledRun(self, plan, request, watch: watch)
        try run.all(of: PictureInMemory(picture: picture)) { rows in
            answer.classIDs += rows.classIDs
            if keepsConfidence { answer.confidence? += rows.confidence }
        }
        watch = run.watch
        watch.tileCount = plan.tileCount
        return answer
    }
}
