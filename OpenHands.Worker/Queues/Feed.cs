using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>
/// What one feeder remembers of its queue, and whose turn it is: who has had the least in proportion to their weight is next
/// (stride scheduling). Nobody saves up turns while they have nothing to do.
/// </summary>
internal sealed class Feed(string queue, TimeProvider time)
{
    private const int MostOfOne = 512;
    private const int OnTheWay = 64;

    // Between the take of an id and its lease the row still says that it waits.
    private static readonly TimeSpan InFlight = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Upkeep = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SlowUpkeep = TimeSpan.FromSeconds(1);

    // A half that lasts for less than the first is filled too often; one that lasts for longer than the second makes newcomers wait.
    private static readonly TimeSpan TooShort = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongEnough = TimeSpan.FromMilliseconds(12);
    private const int MostFactor = 32;
    private const int TooShortInARow = 2; // once, all slots may have become free at the same time

    private readonly Dictionary<string, double> _passes = [];
    private readonly Dictionary<string, long> _fed = [];
    private HashSet<string> _leftBefore = [];
    private double _floor;
    private long _upkeptAt;
    private long _slowlyUpkeptAt;
    private long _waitsSince;
    private int _factor = 1;
    private int _tooShort;

    /// <summary>Name of the queue.</summary>
    public string Queue => queue;

    /// <summary>How it looks for what waits.</summary>
    public FeedLook Look { get; init; } = new(queue, time);

    /// <summary>Slots of all workers together.</summary>
    public int Slots { get; set; }

    /// <summary>
    /// Length that the list is to have: half of a window of twice the slots, since as many are on their way, and more while half of it lasts for a
    /// few milliseconds only.
    /// </summary>
    public int Wanted => Math.Min(Math.Max(QueueWindow.DefaultRoom, 2 * Slots) / 2 * _factor, MostOfOne);

    /// <summary>What the list holds.</summary>
    public int Held { get; set; }

    /// <summary>Weights by fairness key; 1 for who is not named.</summary>
    public IReadOnlyDictionary<string, int> Weights { get; set; } = new Dictionary<string, int>();

    /// <summary>Says that the list is as full as can be.</summary>
    public void IsFilled() => _waitsSince = time.GetTimestamp();

    /// <summary>Makes the list longer or shorter after how long it lasted.</summary>
    /// <param name="ranLow">True when somebody said that it runs low while more tasks wait.</param>
    /// <param name="length">What it holds. A signal from before it was filled may come after that, and says nothing of how long it lasts.</param>
    public void Adapt(bool ranLow, int length)
    {
        var lasted = time.GetElapsedTime(_waitsSince);
        _tooShort = ranLow && lasted < TooShort && length <= Wanted / 2 ? _tooShort + 1 : 0;
        if (_tooShort >= TooShortInARow)
            (_factor, _tooShort) = (Math.Min(_factor * 2, MostFactor), 0);
        else if (lasted > LongEnough)
            _factor = Math.Max(_factor / 2, 1);
    }

    /// <summary>True about ten times a second.</summary>
    public bool IsDueForUpkeep() => IsDue(ref _upkeptAt, Upkeep);

    /// <summary>True once a second.</summary>
    public bool IsDueForSlowUpkeep() => IsDue(ref _slowlyUpkeptAt, SlowUpkeep);

    /// <summary>Values that were being adopted a second ago already.</summary>
    public IReadOnlyList<ForeignValue> Abandoned(IReadOnlyList<ForeignValue> left)
    {
        var abandoned = left.Where(value => _leftBefore.Contains(value.Id)).ToList();
        _leftBefore = [.. left.Select(value => value.Id)];
        return abandoned;
    }

    /// <summary>Chooses the next tasks.</summary>
    /// <param name="waiting">Finds what is due.</param>
    /// <param name="most">Room in the list.</param>
    /// <param name="rule">Limits; null for none.</param>
    /// <param name="running">What runs by fairness key, when there are limits.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Ids in the order in which they are to run, and whether more wait.</returns>
    public async Task<(IReadOnlyList<string> Ids, bool HasMore)> ChooseAsync(
        WaitingTasks waiting, int most, QueueRule? rule, IReadOnlyDictionary<string, int>? running, CancellationToken cancellationToken)
    {
        ForgetInFlight();
        // Most of what was fed is done long since: behind what the list holds there are a few on their way, seldom as many as were fed.
        var all = Math.Min(most + _fed.Count, MostOfOne);
        var each = Look.IsPartial ? all : Math.Min(all, most + Held + OnTheWay);
        var heads = await Look.LookAsync(waiting, each, cancellationToken);
        if (each < all && !Look.IsPartial && heads.Any(head => head.Ids.Count >= each && head.Ids.Count(id => !_fed.ContainsKey(id)) < most))
            heads = await Look.LookAsync(waiting, each = all, cancellationToken);
        if (rule?.MaxRunning is { } limit)
            most = Math.Clamp(limit - (running?.Values.Sum() ?? 0), 0, most);
        var turns = heads.Select(head => new Turn(head.FairnessKey, Room(head, rule, running))).Where(turn => turn.Ids.Count > 0).ToList();
        var available = turns.Sum(turn => turn.Ids.Count);
        var chosen = Choose(turns, most);
        return (chosen, available > chosen.Count || heads.Any(head => head.Ids.Count >= each) || Look.IsPartial);
    }

    private Queue<string> Room(QueueHead head, QueueRule? rule, IReadOnlyDictionary<string, int>? running)
    {
        var fresh = head.Ids.Where(id => !_fed.ContainsKey(id));
        return new(rule?.MaxRunningPerTenant is { } most ? fresh.Take(Math.Max(most - (running?.GetValueOrDefault(head.FairnessKey) ?? 0), 0)) : fresh);
    }

    private List<string> Choose(List<Turn> turns, int most)
    {
        var now = time.GetTimestamp();
        var chosen = new List<string>();
        var order = new PriorityQueue<Turn, (double, string)>();
        foreach (var turn in turns)
            order.Enqueue(turn, (Math.Max(_passes.GetValueOrDefault(turn.FairnessKey), _floor), turn.FairnessKey));
        while (chosen.Count < most && order.TryDequeue(out var turn, out var priority))
        {
            var id = turn.Ids.Dequeue();
            chosen.Add(id);
            _fed[id] = now;
            _floor = priority.Item1;
            var pass = priority.Item1 + 1.0 / Weights.GetValueOrDefault(turn.FairnessKey, 1);
            _passes[turn.FairnessKey] = pass;
            if (turn.Ids.Count > 0)
                order.Enqueue(turn, (pass, turn.FairnessKey));
        }

        if (_passes.Count > 4 * FeedLook.MostKeys)
        {
            foreach (var past in _passes.Where(pass => pass.Value <= _floor).Select(pass => pass.Key).ToList())
                _passes.Remove(past);
        }

        return chosen;
    }

    private void ForgetInFlight()
    {
        foreach (var old in _fed.Where(fed => time.GetElapsedTime(fed.Value) > InFlight).Select(fed => fed.Key).ToList())
            _fed.Remove(old);
    }

    private bool IsDue(ref long last, TimeSpan interval)
    {
        if (last != 0 && time.GetElapsedTime(last) < interval)
            return false;
        last = time.GetTimestamp();
        return true;
    }

    private sealed record Turn(string FairnessKey, Queue<string> Ids);
}
