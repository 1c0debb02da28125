import SegNetToolkit
import Synchronization
import Testing

@testable import SegNet

@Suite("Segmenter: refinement")
struct RefinementTests {
    private func segmenter(_ options: Segmenter.Options = Segmenter.Options(), denseCRF: String? = nil) throws
        -> Segmenter
    {
        let network = Architectures.segNetBasic(
            classes: 5,
            options: ArchitectureOptions(
                input: .bgr255(height: 48, width: 64),
                width: 0.25,
                dropout: options.sampling ? .sampled : .released
            )
        )
        var model = Model(network: network, weights: try Weights.initial(for: network, seed: 7))
        model.metadata.denseCRF = denseCRF
        return try Segmenter(LoadedModel(model, name: "small"), options: options)
    }

    private static let crf = DenseCRF(w1: 3, sigmaAlpha: 12, sigmaBeta: 40, iterations: 3)

    @Test("is the dense CRF of the probabilities, and gives all at the picture's size")
    func equalsTheCRF() throws {
        let image = try noise(width: 64, height: 48)
        let segmenter = try segmenter()
        let plain = try segmenter.segment(image, .init(keeps: [.probabilities]))
        let expected = try Self.crf.refine(
            probabilities: try #require(plain.probabilities).values,
            classCount: 5,
            picture: image
        )
        let found = try segmenter.segment(
            image,
            .init(refinement: .denseCRF(Self.crf), keeps: [.probabilities, .confidence])
        )
        #expect(found.classes == expected.classes && found.networkClasses == expected.classes)
        #expect(found.probabilities?.values == expected.probabilities)
        #expect(found.confidence?.values == expected.confidence())
        #expect(found.classes != plain.classes)
        #expect(found.timing.refinement > .zero && found.timing.work >= found.timing.refinement)
        #expect(plain.timing.refinement == .zero)

        let large = try segmenter.segment(
            try noise(width: 100, height: 31),
            .init(refinement: .denseCRF(Self.crf), keeps: [.probabilities])
        )
        #expect(large.probabilities?.shape == [5, 31, 100])
        #expect(large.networkClasses == large.classes && large.classes.width == 100)
    }

    @Test("follows the mean of views")
    func views() throws {
        let image = try noise(width: 64, height: 48)
        let segmenter = try segmenter()
        let views = Segmenter.Runs.views(TestTimeAugmentation(flip: true))
        let mean = try segmenter.segment(image, .init(views, keeps: [.probabilities]))
        let expected = try Self.crf.refine(
            probabilities: try #require(mean.probabilities).values,
            classCount: 5,
            picture: image
        )
        let found = try segmenter.segment(image, .init(views, refinement: .denseCRF(Self.crf)))
        #expect(found.classes == expected.classes)
    }

    @Test("uses what is stored with the model where no numbers are given")
    func tuned() throws {
        let image = try noise(width: 64, height: 48)
        let segmenter = try segmenter(denseCRF: "\(Self.crf)")
        #expect(segmenter.tunedCRF == Self.crf && segmenter.crf(of: .denseCRF(nil)) == Self.crf)
        let found = try segmenter.segment(image, .init(refinement: .denseCRF(nil)))
        #expect(found.classes == (try segmenter.segment(image, .init(refinement: .denseCRF(Self.crf))).classes))
        let plain = try self.segmenter()
        #expect(plain.crf(of: .denseCRF(nil)) == DenseCRF())
        let broken = try self.segmenter(denseCRF: "4,0")
        #expect(broken.crf(of: .denseCRF(nil)) == DenseCRF())
        #expect(
            broken.notes.contains(
                "the dense CRF that is stored with the model cannot be used (sigma-alpha is 0; give a number in 0.1...10000)"
            )
        )
    }

    @Test("is refused where it has no meaning")
    func refusals() throws {
        let image = try noise(width: 20, height: 10)
        let segmenter = try segmenter()
        func refuses(_ request: Segmenter.Request, _ message: String) {
            #expect(performing: { try segmenter.segment(image, request) }, throws: { "\($0)" == message })
        }
        refuses(
            .init(refinement: .denseCRF(nil), keeps: [.scores]),
            "network 'segnet-basic': scores and inner blobs are what comes before a refinement; keep the probabilities."
        )
        refuses(
            .init(refinement: .denseCRF(DenseCRF(sigmaBeta: -1))),
            "dense CRF: sigma-beta is -1; give a number in 0.1...10000."
        )
        let classesOnly = try self.segmenter(Segmenter.Options(classesOnly: true))
        #expect(throws: SegmenterError.self) { try classesOnly.segment(image, .init(refinement: .denseCRF(nil))) }
        let serving = Segmenter.Options().serving(only: .init(refinement: .denseCRF(nil)))
        #expect(!serving.classesOnly)
    }

    @Test("reads its words, and says which are wrong")
    func words() throws {
        #expect(try Segmenter.Refinement("crf") == .denseCRF(nil))
        #expect(try Segmenter.Refinement("crf:5,50,3") == .denseCRF(DenseCRF(w1: 5, sigmaAlpha: 50, sigmaBeta: 3)))
        #expect("\(try Segmenter.Refinement("crf:5,50,3"))" == "crf:5,50,3,3,3,10")
        #expect(
            performing: { try Segmenter.Refinement("guided:3") },
            throws: { "\($0)" == "refinement 'guided:3': 'guided' is not a known refinement; the only one is 'crf'." }
        )
        #expect(
            performing: { try Segmenter.Refinement("crf:0,x") },
            throws: {
                "\($0)"
                    == "refinement 'crf:0,x': sigma-alpha is 'x', which is not a number; write w1,sigma-alpha,sigma-beta,w2,sigma-gamma,iterations."
            }
        )
    }

    @Test("finds the CRF that repairs what is wrong")
    func search() throws {
        let image = try noise(width: 64, height: 48)
        let segmenter = try segmenter()
        // The truth is what one of the candidates makes of the network's result.
        let truth = try segmenter.segment(image, .init(refinement: .denseCRF(Self.crf))).classes
        var other = Self.crf
        other.w1 = 0.1
        other.w2 = 0.1
        var search = DenseCRFSearch(candidates: [other, Self.crf, other], segmenter: segmenter)
        var done = 0
        try search.add(MultichannelImage(image), truth: truth.ids, isDone: { done += 1 })
        let ranking = search.ranking()
        #expect(done == 3 && ranking.map(\.crf) == [Self.crf, other, other])
        #expect(ranking[0].scores.globalAccuracy == 1 && (search.unrefined().globalAccuracy ?? 1) < 1)
    }

    @Test("a search refuses samples, and segmenters that give no probabilities")
    func searchRefusals() throws {
        func said(_ options: Segmenter.Options, _ request: Segmenter.Request) throws -> String {
            var search = DenseCRFSearch(candidates: [Self.crf], segmenter: try segmenter(options))
            let picture = MultichannelImage(try noise(width: 64, height: 48))
            do {
                try search.add(picture, truth: [UInt16](repeating: 0, count: 64 * 48), request)
                return "nothing"
            } catch let error as SegmenterError { return error.reason }
        }
        #expect(
            try said(.init(sampling: true), .init(.samples(2)))
                == "samples are not refined: their spread would be meaningless; leave out the samples or the refinement."
        )
        #expect(
            try said(.init(classesOnly: true), .init())
                == "it was made to give classes only; make the segmenter without Options(classesOnly: true)."
        )
        #expect(try said(.init(sampling: true), .init()) == "nothing")
    }

    @Test("is searched for on grids that hold what has been published, and then nearer")
    func grids() {
        let coarse = DenseCRFSearch.coarse(DenseCRF(iterations: 7))
        #expect(coarse.count == 27 && Set(coarse).count == 27 && coarse.allSatisfy { $0.iterations == 7 })
        let best = DenseCRF(w1: 4, sigmaAlpha: 50, sigmaBeta: 3)
        let finer = DenseCRFSearch.finer(around: best)
        #expect(finer.count == 26 && !finer.contains(best))
        #expect(Set(finer.map(\.w1)) == [2.5, 4, 6.5])
        #expect(Set(finer.map(\.sigmaAlpha)) == [33, 50, 75])
        #expect(Set(finer.map(\.sigmaBeta)) == [2, 3, 4])
    }
}
