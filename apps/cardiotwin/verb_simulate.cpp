// cardiotwin simulate: one pacing protocol on one twin, from flags or a case file.

#include <fmt/format.h>

#include <cardiotwin/cardiotwin.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "ecg_rows.hpp"
#include "job.hpp"
#include "purkinje_rows.hpp"
#include "site_rows.hpp"

namespace cardiotwin::app {
namespace {

struct SimulateJob {
  Options options{"simulate"};
  std::filesystem::path twin, out = "run", from;
  std::string site = "auto", precision = "fp32", stiffness = "auto", backend = "cpu", model = "monodomain";
  std::string currents, grounds;
  EcgRows ecg;
  S1S2 pacing{.beats = 2};
  std::string train = "600 ms x 2";
  SimulationOptions simulation{.dt = 0};
  double duration = 1500, snapshot_interval = 0, probe_interval = 1;
  std::vector<std::string> probes;
  bool dry_run = false, keep_state = false, purkinje = false;
  PurkinjeOptions tree_options;
  PurkinjeTree tree;
  std::vector<std::string> warnings;
  int threads = 0;

  void declare() {
    options.path("twin", twin, "the twin to run"), options.positional(), options.required();
    options.path("out", out, "folder for the results");
    options.path("from", from, "state to go on from, as an earlier run left it; stimuli before its time are over");
    options.text(
        "site", site,
        "where it is paced: a site of the twin (auto: aha7, of an atrium the first), or NAME=X,Y,Z mm [LPS], or "
        "NAME=APICOBASAL,ROTATIONAL,TRANSMURAL[,lv|rv]");
    options.flag(
        "purkinje", purkinje,
        "pace from the ends of a Purkinje tree grown on the endocardium, as in sinus rhythm, instead of a site; "
        "one way: nothing is conducted back into the tree");
    add_purkinje_rows(options, tree_options);
    options.custom(
        "s1", "INTERVALxBEATS", [this](const std::string& text) { read_train(text); }, [this] { return train; },
        "basic train, such as 600x2 or \"600 ms x 2\"");
    options.quantity("s2", pacing.s2, "ms", 0, 5000, "coupling of the first extra-stimulus, 0 for none");
    options.quantity("s3", pacing.s3, "ms", 0, 5000, "of the second");
    options.quantity("s4", pacing.s4, "ms", 0, 5000, "of the third");
    options.quantity("stimulus_duration", pacing.duration, "ms", 0.1, 50, "of each pulse");
    options.quantity("stimulus_amplitude", pacing.amplitude, "A/F", 1, 1000, "of each pulse");
    options.quantity("duration", duration, "ms", 0.1, 1e6, "time at the end");
    options.time_step("dt", simulation.dt,
                      "time step; auto: the one the twin was calibrated for, else the coarsest it allows");
    options.text("precision", precision, "of the arithmetic", {"fp32", "fp64"});
    options.number("ionic_load", simulation.ionic_load, 0, 1, "share g of the consistent ionic load; 0 is lumped");
    options.text("stiffness", stiffness, "of the diffusion; auto: the one the twin was calibrated with",
                 {"auto", "p1", "nodal-gradient"});
    options.text("model", model, "bidomain solves for the extracellular potential, too", {"monodomain", "bidomain"});
    options.quantity("elliptic_interval", simulation.bidomain.interval, "ms", 0.001, 10,
                     "bidomain: between two solves for the extracellular potential");
    options.number("elliptic_tolerance", simulation.bidomain.tolerance, 1e-10, 1e-2,
                   "bidomain: of the residual, relative");
    options.custom(
        "currents", "X,Y,Z,RADIUS,UA,START,DURATION;...",
        [this](const std::string& text) { read_currents(text), currents = text; }, [this] { return currents; },
        "bidomain: currents into the extracellular space [mm, uA, ms]; together 0 unless something is grounded");
    options.custom(
        "grounds", "X,Y,Z,RADIUS;...",
        [this](const std::string& text) { simulation.bidomain.grounds = read_grounds(text), grounds = text; },
        [this] { return grounds; }, "bidomain: balls kept at 0 mV [mm]");
    add_ecg_rows(options, ecg);
    options.text("backend", backend,
                 "cpu, cuda, cuda:1, or reference: Crank-Nicolson in fp64, to check the others with");
    options.integer("threads", threads, 0, 1024, "CPU threads, 0 for all; no result depends on it");
    options.quantity("snapshots", snapshot_interval, "ms", 0, 1e6, "interval of V on the whole mesh, 0 for none");
    options.list("probes", probes, "sites whose V is written to probes.csv");
    options.quantity("probe_interval", probe_interval, "ms", 0.01, 1e4, "between probe samples");
    options.flag("keep_state", keep_state, "write the state at the end to state.bin, for --from");
    options.flag("dry_run", dry_run, "check everything, say what would be run, and stop", true);
  }

  void read_train(const std::string& text) {
    const auto cross = text.rfind('x');
    const auto parts = cross == std::string::npos ? std::vector<std::string>{} : split(text, 'x');
    const bool whole =
        parts.size() == 2 && parts[1].find_first_not_of("0123456789") == std::string::npos && parts[1].size() < 5;
    if (!whole || std::stoi(parts[1]) < 1) {
      throw InputError(
          fmt::format("\"{}\" must be an interval times a number of beats, such as 600x2 or \"600 ms x 2\"", text));
    }
    const bool bare = parts[0].find_first_not_of("0123456789.") == std::string::npos;
    const double interval = parse_quantity(bare ? parts[0] + " ms" : parts[0], dimension::time);
    if (!(interval >= 50 && interval <= 1e5))
      throw InputError(fmt::format("an interval of {:g} ms is outside [50, 100000] ms", interval));
    pacing.s1 = interval, pacing.beats = std::stoi(parts[1]);
    train = fmt::format("{} x {}", format_quantity(interval, "ms"), pacing.beats);
  }

  std::string left() const { return fmt::format("{} holds no results, so the same command begins anew", out.string()); }

  void run() {
    Monitor monitor = console();
    monitor.warning = [this, show = monitor.warning](std::string_view text) {
      warnings.emplace_back(text), show(text);
    };
    Twin patient = Twin::load(twin);
    simulation.stiffness = stiffness == "auto" ? natural_stiffness(patient) : stiffness_of(stiffness);
    if (simulation.dt == 0) simulation.dt = natural_dt(patient, simulation.stiffness);
    simulation.backend = Backend::named(backend, threads);
    if (simulation.backend.is_reference()) precision = "fp64";
    simulation.precision = precision == "fp32" ? Precision::fp32 : Precision::fp64;
    std::vector<Index> probe_nodes;
    for (const auto& name : probes) probe_nodes.push_back(patient.anatomy.site(name).nodes.front());

    Protocol beats = protocol(patient.anatomy, monitor);
    beats.currents = read_currents(currents);
    const bool bidomain = model == "bidomain";
    const Surroundings around = make_surroundings(patient.anatomy, ecg, bidomain, monitor);
    if (bidomain) simulation.model = TissueModel::bidomain, simulation.bidomain.torso = around.torso;
    Simulation sim(patient, simulation);
    sim.add(beats);
    if (!from.empty()) go_on_from(sim);
    if (dry_run) return describe(sim);
    const Ecg* potentials = ecg.wanted() ? record_potentials(sim, patient, around, monitor) : nullptr;

    make_folder(out);
    write_text(out / "effective.toml", options.toml());
    if (purkinje) save_mesh(out / "purkinje.vtu", to_foreign(tree, tree_options));
    auto* probe = probes.empty() ? nullptr : &sim.add(Probe(probe_nodes, probe_interval));
    if (snapshot_interval > 0) sim.add(Snapshots(patient.anatomy.mesh, out / "snapshots.vtkhdf", snapshot_interval));
    auto& first = sim.add(ActivationMap{ActivationMap::Which::first});
    auto& last = sim.add(ActivationMap{ActivationMap::Which::last});
    auto& repolarization = sim.add(RepolarizationMap{});
    run_keeping_good_states(sim, monitor);
    if (keep_state) save(out / "state.bin", sim.state());

    Map first_map = first.map(), last_map = last.map();
    first_map.name = "LAT first", last_map.name = "LAT last";
    save(out / "maps.vtu", patient.anatomy, {first_map, last_map, repolarization.map()});
    if (probe) write_probes(*probe);
    write_provenance(patient);
    summarise(sim, last_map);
    if (bidomain) write_potential(sim, patient, around);
    if (potentials)
      write_ecg(out, *potentials, ecg, around, last_beat(),
                around.torso ? around.torso->statement : "The heart alone: nothing conducts around it.");
    if (purkinje) say_spread(first_map);
  }

  /// Of a bidomain as they are, else by lead fields.
  const Ecg* record_potentials(Simulation& sim, const Twin& patient, const Surroundings& around,
                               const Monitor& monitor) {
    if (simulation.model == TissueModel::bidomain) {
      const Mesh& mesh = around.torso ? around.torso->mesh : patient.anatomy.mesh;
      return &sim.add(PotentialProbe(mesh, around.electrodes, ecg.interval)).electrodes();
    }
    const VolumeConductor conductor(patient, around.torso, {.backend = Backend::cpu(threads)});
    auto leads = std::make_shared<const LeadFields>(conductor.lead_fields(around.electrodes, monitor));
    return &sim.add(EcgRecorder(std::move(leads), ecg.interval)).electrodes();
  }

  /// The extracellular potential at the end on all that conducts.
  void write_potential(const Simulation& sim, const Twin& patient, const Surroundings& around) const {
    const auto work = sim.elliptic_work();
    say(fmt::format(
        "extracellular potential solved for {} times, {:.1f} iterations each", work.solves,
        static_cast<double>(work.iterations) / static_cast<double>(std::max<std::int64_t>(1, work.solves))));
    const Mesh& mesh = around.torso ? around.torso->mesh : patient.anatomy.mesh;
    save(out / "potential.vtu", mesh, Map{.name = "phi_e", .unit = "mV", .values = sim.potential()});
  }

  double last_beat() const { return pacing.start + (pacing.beats - 1) * pacing.s1 + pacing.s2 + pacing.s3 + pacing.s4; }

  Protocol protocol(Anatomy& anatomy, const Monitor& monitor) {
    if (!purkinje) return Protocol::s1s2(paced_site(anatomy, monitor), pacing);
    tree = grow_purkinje(anatomy, tree_options, monitor);
    monitor.tell(fmt::format("Purkinje tree of {:.2f} m with {} junctions; it conducts to the muscle only, not back",
                             tree.length() / 1000, tree.junctions()));
    return purkinje_beats(anatomy, tree, pacing, tree_options, monitor);
  }

  static void say_spread(const Map& first) {
    double begin = INFINITY, end = -INFINITY;
    for (const double lat : first.values)
      if (std::isfinite(lat)) begin = std::min(begin, lat), end = std::max(end, lat);
    if (begin <= end) say(fmt::format("the first beat activates the muscle from {:.1f} to {:.1f} ms", begin, end));
  }

  const Site& paced_site(Anatomy& anatomy, const Monitor& monitor) const {
    if (site == "auto") {
      const bool atrium = anatomy.chamber == Chamber::left_atrium && !anatomy.sites.empty();
      return atrium ? anatomy.sites.front() : anatomy.site("aha7");
    }
    if (site.find('=') == std::string::npos) return anatomy.site(site);
    constexpr double radius = 3;  // [mm], as of standard sites
    place_sites(anatomy, read_sites(site), radius, monitor);
    return anatomy.sites.back();
  }

  void go_on_from(Simulation& sim) const {
    sim.restore(load_state(from));
    if (sim.time() >= duration)
      throw InputError(
          fmt::format("{} is a state at {:g} ms already; ask for a --duration beyond that", from.string(), sim.time()));
  }

  /// Where V stops being finite, what was good before is not lost.
  void run_keeping_good_states(Simulation& sim, const Monitor& monitor) const {
    sim.keep_good_states(100);
    try {
      sim.run(duration - sim.time(), monitor);
    } catch (const NumericalError& error) {
      const auto& good = sim.last_good_state();
      if (!good) throw;
      save(out / "last_good.bin", *good);
      throw NumericalError(fmt::format("{}; the state at {:g} ms is kept: --from {}", error.what(), good->time,
                                       (out / "last_good.bin").string()));
    }
  }

  void describe(const Simulation& sim) const {
    const double steps = (duration - sim.time()) / simulation.dt;
    say(options.toml());
    say(
        fmt::format("# would run {} conducting nodes for {:.0f} steps ({:.3g} node-steps); time-step limit {:.3f} ms, "
                    "{} stage{} of diffusion a step",
                    sim.active_nodes(), steps, steps * static_cast<double>(sim.active_nodes()), sim.stable_dt(),
                    sim.stages(), sim.stages() == 1 ? "" : "s"));
  }

  void write_probes(const Probe& probe) const {
    std::string text = fmt::format("# {}\n# V [mV] at sites\ntime_ms", research_use_only);
    for (const auto& name : probes) text += "," + name;
    for (std::size_t i = 0; i < probe.times().size(); ++i) {
      text += fmt::format("\n{}", probe.times()[i]);
      for (std::size_t k = 0; k < probes.size(); ++k)
        text += fmt::format(",{:.4f}", probe.values()[i * probes.size() + k]);
    }
    write_text(out / "probes.csv", text + "\n");
  }

  std::map<std::string, std::string> inputs() const {
    std::map<std::string, std::string> result = {{"twin", sha256_of_file(twin)}};
    if (!from.empty()) result["from"] = sha256_of_file(from);
    return result;
  }
  void write_provenance(const Twin& patient) const {
    Provenance whole = patient.provenance;
    whole.steps.push_back({.verb = "simulate",
                           .version = version(),
                           .backend = simulation.backend.name() + "/" + precision,
                           .seed = purkinje ? tree_options.seed : 0,
                           .options = options.effective(),
                           .inputs = inputs(),
                           .warnings = warnings});
    write_text(out / "provenance.json", to_json(whole));
  }

  void summarise(const Simulation& sim, const Map& last) const {
    std::size_t active = 0;
    double latest = -1;
    for (const double lat : last.values) {
      if (std::isfinite(lat)) ++active, latest = std::max(latest, lat);
    }
    say(fmt::format(
        "{}: {:.0f} ms simulated, {} of {} conducting nodes activated, the latest at {:.1f} ms; {} at the end",
        out.string(), sim.time(), active, sim.active_nodes(), latest, sim.quiet() ? "quiet" : "still active"));
  }
};

}  // namespace

void add_simulate(CLI::App& app) {
  add_verb<SimulateJob>(app, "simulate", "Runs one pacing protocol.", "a .twin",
                        "maps.vtu (LAT, repolarisation), effective.toml, provenance.json and, if asked for, "
                        "probes.csv, snapshots, purkinje.vtu (the tree), ecg.csv and ecg.svg, potential.vtu in --out");
}

}  // namespace cardiotwin::app
