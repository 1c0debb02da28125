import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetData

@Suite("Pools of data sets")
struct DatasetPoolTests {
    /// Sources with so many pictures that nobody reads.
    static func pool(_ counts: [Int], _ shares: [Double], phases: [DatasetPool.Phase] = []) -> DatasetPool {
        let dataset = Dataset(name: "made up", classes: .camVid11, rule: LabelRule(), splits: [:])
        return DatasetPool(
            sources: zip(counts, shares).map { count, share in
                DatasetPool.Source(
                    dataset,
                    samples: (0..<count).map { Sample(image: "\($0).png", label: "\($0).png") },
                    share: share
                )
            },
            phases: phases
        )
    }

    static func pictures(_ pool: DatasetPool, _ places: Range<Int>, seed: UInt64 = 5) -> [(source: Int, index: Int)] {
        var order = PoolOrder(pool, seed: seed)
        return places.compactMap { order.picture(at: $0) }
    }

    @Test("a picture chosen by two numbers is of each source as often as its share says, in each phase")
    func items() throws {
        let pool = Self.pool([4, 3, 5], [1, 0, 3], phases: [DatasetPool.Phase(start: 10, shares: [0, 1, 0])])
        func chosen(_ place: Int) -> [[Int]] {
            var counts = [4, 3, 5].map { Array(repeating: 0, count: $0) }
            for source in 0..<8 {
                for index in 0..<60 {
                    guard let item = pool.item(at: place, source: Double(source) / 8, index: Double(index) / 60),
                        let number = Int(item.sample.name)
                    else { return [] }
                    counts[item.source][number] += 1
                }
            }
            return counts
        }
        #expect(chosen(0) == [[30, 30, 30, 30], [0, 0, 0], [72, 72, 72, 72, 72]])
        #expect(chosen(10) == [[0, 0, 0, 0], [160, 160, 160], [0, 0, 0, 0, 0]])
        // Just below 1 is still the last picture of the last source that has a share.
        let last = try #require(pool.item(at: 0, source: 1.0.nextDown, index: 1.0.nextDown))
        #expect(last.source == 2 && last.sample.name == "4")
        #expect(Self.pool([0, 0], [1, 1]).item(at: 0, source: 0.5, index: 0.5) == nil)
    }

    @Test(
        "every stretch of places has each source by its share, to one picture or two",
        arguments: [[0.5, 0.5], [0.45, 0.45, 0.1], [3, 1], [1, 0, 2, 5], [0.01, 0.99]]
    )
    func shares(shares: [Double]) {
        let pool = Self.pool(shares.map { _ in 7 }, shares)
        let found = Self.pictures(pool, 0..<600)
        let sum = shares.reduce(0, +)
        for length in [1, 6, 40, 600] {
            for start in stride(from: 0, through: 600 - length, by: 37) {
                for (source, share) in shares.enumerated() {
                    let count = found[start..<start + length].count { $0.source == source }
                    #expect(abs(Double(count) - share / sum * Double(length)) <= 2, "\(source) at \(start) + \(length)")
                    if share == 0 { #expect(count == 0) }
                }
            }
        }
    }

    @Test("each source goes through its own shuffled passes")
    func passes() {
        let found = Self.pictures(Self.pool([5, 3], [0.5, 0.5]), 0..<60)
        for (source, count) in [5, 3].enumerated() {
            let own = found.filter { $0.source == source }.map(\.index)
            #expect(own.count == 30)
            let passes = stride(from: 0, to: 30, by: count).map { Array(own[$0..<min(30, $0 + count)]) }
            #expect(passes.allSatisfy { $0.sorted() == Array(0..<count) })
            #expect(Set(passes).count > 1)
        }
        // Equal sources are not in step.
        let twins = Self.pictures(Self.pool([9, 9], [1, 1]), 0..<36)
        #expect(twins.filter { $0.source == 0 }.map(\.index) != twins.filter { $0.source == 1 }.map(\.index))
    }

    @Test("a place has the same picture wherever one begins, forwards or back")
    func anyPlace() {
        let phases = [DatasetPool.Phase(start: 40, shares: [1, 0]), DatasetPool.Phase(start: 70, shares: [1, 3])]
        let pool = Self.pool([5, 3], [0.3, 0.7], phases: phases)
        let whole = Self.pictures(pool, 0..<120)
        for start in [0, 1, 17, 39, 40, 41, 69, 70, 71, 119] {
            let part = Self.pictures(pool, start..<120)
            #expect(part.elementsEqual(whole[start...], by: ==))
        }
        var order = PoolOrder(pool, seed: 5)
        for place in [100, 3, 3, 70, 0] { #expect(order.picture(at: place)! == whole[place]) }
    }

    @Test("phases change the shares at their places, and passes go on where they were")
    func phases() {
        let phases = [DatasetPool.Phase(start: 40, shares: [1, 0]), DatasetPool.Phase(start: 70, shares: [1, 3])]
        let pool = Self.pool([7, 11], [1, 1], phases: phases)
        let found = Self.pictures(pool, 0..<110)
        #expect(found[40..<70].allSatisfy { $0.source == 0 })
        #expect((9...11).contains(found[70..<110].count { $0.source == 0 }))
        let second = found.filter { $0.source == 1 }.map(\.index)
        #expect(second[11..<22].sorted() == Array(0..<11))
        #expect(
            pool.shares(at: 39) == [0.5, 0.5] && pool.shares(at: 40) == [1, 0] && pool.shares(at: 900) == [0.25, 0.75]
        )
        let mean = pool.shares(ofTraining: 100)
        #expect(abs(mean[0] - (0.2 + 0.3 + 0.075)) < 1e-12 && abs(mean.reduce(0, +) - 1) < 1e-12)
    }

    @Test("one source alone has the order of a data set without a pool")
    func alone() {
        let order = SampleOrder(count: 6, seed: 5)
        let expected = (0..<4).flatMap { order.permutation(epoch: $0) }
        #expect(Self.pictures(Self.pool([6], [0.3]), 0..<24).map(\.index) == expected)
        #expect(Self.pictures(Self.pool([6, 4], [1, 0]), 0..<24).map(\.index) == expected)
        // Far places cost nothing.
        var far = PoolOrder(Self.pool([6], [1]), seed: 5)
        #expect(far.picture(at: 6_000_000_000_001)?.index == order.permutation(epoch: 1_000_000_000_000)[1])
    }

    @Test("no pictures, no shares and impossible shares give nothing, and trap nowhere")
    func nothing() {
        for pool in [
            Self.pool([], []), Self.pool([0], [1]), Self.pool([3], [0]), Self.pool([3, 0], [0, 1]),
            Self.pool([3], [.nan]),
            Self.pool([3], [-1]),
        ] {
            #expect(Self.pictures(pool, 0..<3).isEmpty)
            #expect(pool.representatives(3, at: 0).isEmpty)
        }
        // A phase that leaves nothing is passed over.
        let pool = Self.pool([3, 2], [1, 1], phases: [DatasetPool.Phase(start: 2, shares: [])])
        #expect(Self.pictures(pool, 0..<10).count == 10)
        #expect(throws: DatasetError.self) {
            try pool.example(DatasetPool.Item(source: 7, sample: pool.sources[0].samples[0]))
        }
    }

    @Test("representatives are mixed as batches are, by the shares, always the same ones")
    func representatives() {
        let pool = Self.pool([100, 10], [0.25, 0.75])
        for number in [nil, 8, 60] as [Int?] {
            let found = pool.representatives(number, at: 0)
            #expect(found == pool.representatives(number, at: 0))
            for start in stride(from: 0, through: found.count - 4, by: 4) {
                #expect(found[start..<start + 4].count { $0.source == 0 } == 1, "\(start) of \(found.count)")
            }
            // The small one gives each of its pictures, some of them several times; of "about 8" there are 12, so 9 of them are its.
            #expect(Set(found.filter { $0.source == 1 }).count == (number == 8 ? 9 : 10))
        }
        #expect(pool.representatives(nil, at: 0).count == 110)
        #expect(pool.representatives(1, at: 0).map(\.source) == [1, 0])
        // `Tools/torch/tests/test_data.py` has the same line.
        #expect(
            Self.pool([5, 3], [1, 1]).representatives(nil, at: 0).map { "\($0.source):\($0.sample.name)" }
                == ["0:2", "1:0", "0:0", "1:1", "0:1", "1:2", "0:3", "1:1"]
        )
    }

    @Test("by their numbers of pictures, and of one source alone, representatives are all pictures once, shuffled")
    func allRepresentatives() {
        for counts in [[100], [30, 20, 7]] {
            let found = Self.pool(counts, counts.map(Double.init)).representatives(nil, at: 0)
            #expect(found.count == counts.reduce(0, +) && Set(found).count == found.count)
            let numbers = found.filter { $0.source == 0 }.map(\.sample.name)
            #expect(numbers != (0..<counts[0]).map(String.init))
        }
        #expect(Self.pool([100], [0.3]).representatives(60, at: 0).count == 100)
        #expect(Self.pool([600], [1]).representatives(60, at: 0).count == 60)
    }

    @Test("batches say which source each example is from, and the cache keeps sources apart", arguments: [1, 3])
    func batches(threads: Int) throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\ntwo\n", "classes.txt")
        for index in 0..<3 {
            try scratch.picture("images/\(index).png", first: 10 + index)
            try scratch.labels("labels/\(index).png", Array(repeating: UInt16(index % 2), count: 12))
        }
        var options = DatasetOptions()
        options.validationShare = 0
        let plain = try Dataset.load(.folder, directory: scratch.path, options: options)
        // The same files with labels that mean something else.
        options.changes = [try LabelChange("0=1"), try LabelChange("1=0")]
        let exchanged = try Dataset.load(.folder, directory: scratch.path, options: options)
        let samples = try plain.samples(of: "train")
        let pool = DatasetPool(sources: [
            DatasetPool.Source(plain, samples: samples), DatasetPool.Source(exchanged, samples: samples),
        ])
        let queue = BatchQueue(pool, batchSize: 4, seed: 3, threads: threads)
        defer { queue.stop() }
        for number in 0..<6 {
            let batch = try #require(try queue.next())
            #expect(batch.sources.sorted() == [0, 0, 1, 1] && batch.epoch == number * 4 / 6)
            for (example, source) in zip(batch.examples, batch.sources) {
                let picture = Int(example.pixels[0]) - 10
                #expect(Int(example.labels[0]) == (picture % 2) ^ source)
            }
        }
    }

    @Test("class weights count each source by its share, and classes where they can be named")
    func weights() {
        func frequencies(_ labels: [UInt16]..., times: Int = 1) -> ClassFrequencies {
            var result = ClassFrequencies(classCount: 3)
            for picture in labels { result.add(Array(repeatElement(picture, count: times).joined())) }
            return result
        }
        let first = frequencies([0, 0, 0, 1], [0, 0, 1, 2])
        let second = frequencies([0, 0, 0, 0], [0, 0, 0, 2], [0, 0, 0, 0], [0, 0, 1, 1])
        #expect(ClassFrequencies.medianFrequencyWeights(of: [(first, 0.7, [0])]) == first.medianFrequencyWeights)
        // By hand, each picture of the first counts 0.3 / 2, of the second 0.7 / 4.
        let (a, b) = (0.15, 0.175)
        let both = ClassFrequencies.medianFrequencyWeights(of: [(first, 0.3, nil), (second, 0.7, nil)])
        let first0: Double = (5 * a + 13 * b) / (8 * a + 16 * b)
        let first1: Double = (2 * a + 2 * b) / (8 * a + 4 * b)
        let f: [Double] = [first0, first1, 0.25]
        for (weight, own) in zip(both, f) { #expect(abs(Double(weight) - f.sorted()[1] / own) < 1e-6) }
        // Crops of one size are learnt, so larger pictures do not count for more.
        let large = frequencies([0, 0, 0, 0], [0, 0, 0, 2], [0, 0, 0, 0], [0, 0, 1, 1], times: 16)
        let same = ClassFrequencies.medianFrequencyWeights(of: [(first, 0.3, nil), (large, 0.7, nil)])
        for (one, other) in zip(both, same) { #expect(abs(one - other) < 1e-6) }
        // The second cannot name class 2, and the first alone says how frequent it is; class 1 is named by none.
        let some = ClassFrequencies.medianFrequencyWeights(of: [(first, 0.3, [0, 2]), (second, 0.7, [0])])
        let g: [Double] = [first0, first1, 0.25]
        for (weight, own) in zip(some, g) { #expect(abs(Double(weight) - g.sorted()[1] / own) < 1e-6) }
    }

    @Test("list files in a folder stand for splits by name")
    func lists() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\ntwo\n", "classes.txt")
        try scratch.write("a.png b.png\n", "streets.txt")
        try scratch.write("c.png d.png\ne.png f.png\n", "parks.txt")
        var options = DatasetOptions()
        options.lists = ["train": ["parks.txt"], "val": ["streets.txt"]]
        let dataset = try Dataset.load(.list, directory: scratch.path, options: options)
        #expect(dataset.splits.mapValues { $0.map(\.name) } == ["train": ["c", "e"], "val": ["a"]])
        options.lists = ["train": ["streets.txt", "parks.txt"]]
        options.validationShare = 0
        let both = try Dataset.load(.list, directory: scratch.path, options: options)
        #expect(try both.samples(of: "train").map(\.name) == ["a", "c", "e"])
        options.lists = ["train": ["town.txt"]]
        #expect(
            message { _ = try Dataset.load(.list, directory: scratch.path, options: options) }
                == "\(scratch.path)/town.txt: cannot be read; it needs one \"image label\" pair per line, relative to its folder. "
                + "The folder has classes.txt, parks.txt, streets.txt."
        )
        #expect(
            message { _ = try Dataset.load(.folder, directory: scratch.path, options: options) }
                == "town.txt: 'folder' has no list files; name one of its splits, or take a kind that has lists (camvid, camvid12, "
                + "sunrgbd, nyuv2, list)."
        )
    }
}
