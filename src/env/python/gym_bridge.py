"""The Python half of `--task gym:ID` (gym_batch.cpp is the other): makes the environments, checks their
spaces, steps them on arrays that C++ owns. Compiled into the programs as text; runs in their own Python."""

import difflib
import importlib
import re
import traceback
import warnings

USAGE = 2  # base::Code
LONGEST_RECORD = 1 << 22  # numbers; the actions of an episode are kept to play it again after a resume


class Refusal(Exception):
    """What was wrong and what to do, with an exit code: the arguments of a base::Error."""

    def __init__(self, code, message, hint=""):
        super().__init__(code, message, hint)


def route_warnings(log):
    """Python's warnings as lines of our log, without the colours that Gymnasium puts in."""

    def show(message, category, filename, lineno, file=None, line=None):
        text = re.sub(r"\x1b\[[0-9;]*m", "", str(message))
        log(f"{category.__name__}: {text}")

    warnings.showwarning = show


def describe(error):
    """One line, then the traceback from where our own frames end."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    line = traceback.format_exception_only(type(error), error)[-1].strip().splitlines()[-1]
    return line, "".join(traceback.format_exception(type(error), error, trace)).rstrip()


def _import(python):
    try:
        import gymnasium
    except ImportError as error:
        raise Refusal(USAGE, f"gym: tasks need the Python package gymnasium, and {python} cannot import it ({error})",
                      f"Run {python} -m pip install 'gymnasium[mujoco]', or set TENFOLD_PYTHON to a Python that has it"
                      ) from None
    return gymnasium


def _nearest(name, names):
    folded = {each.casefold(): each for each in names}
    return [folded[each] for each in difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.6)]


def _find(gymnasium, name):
    """The registered spec of `ID` or `MODULE:ID`."""
    module, _, task = name.rpartition(":")
    if module:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise Refusal(USAGE, f"task gym:{name}: there is no Python module '{error.name}'",
                          f"Install it, or start the program in the folder that holds {module}.py, or name that "
                          "folder in PYTHONPATH") from None
    try:
        return gymnasium.spec(task)
    except gymnasium.error.Error as error:
        near = " or ".join(f"gym:{module + ':' if module else ''}{each}" for each in _nearest(task, gymnasium.registry))
        raise Refusal(USAGE, f"unknown Gymnasium task '{name}': {str(error).split(' Did you mean')[0].rstrip('.')}",
                      f"Did you mean {near}?" if near else
                      "A task of your own: gym:MODULE:ID, where importing MODULE registers ID") from None


def _box(space, what, name, advice):
    import gymnasium
    import numpy

    box = isinstance(space, gymnasium.spaces.Box)
    if not box:
        raise Refusal(USAGE, f"task gym:{name}: its {what} space is {str(space)[:80]}, {advice}",
                      "Wrap it in gymnasium.wrappers.FlattenObservation where it is registered"
                      if what == "observation" else "Choose another task")
    if what == "action" and not numpy.issubdtype(space.dtype, numpy.floating):
        raise Refusal(USAGE, f"task gym:{name}: its action space is a Box of {space.dtype}, {advice}",
                      "Choose another task")
    if space.shape is None or 0 in space.shape:
        raise Refusal(USAGE, f"task gym:{name}: its {what} space is empty")


class Bridge:
    """`rows` environments of one task. Rows of every array are environments."""

    def __init__(self, python, name, rows, horizon, repeat):
        gymnasium = _import(python)
        import numpy

        self._numpy, self._name, self._repeat = numpy, name, repeat
        spec = _find(gymnasium, name)
        limit = spec.max_episode_steps
        if horizon == 0 and not limit:
            raise Refusal(USAGE, f"task gym:{name} has no time limit of its own", "Give one with --horizon")
        self.horizon = horizon or max(1, limit // repeat)
        self.row = 0
        self._envs = []
        try:
            for self.row in range(rows):
                self._envs.append(gymnasium.make(name, max_episode_steps=self.horizon * repeat))
                if self.row == 0:
                    self._check(self._envs[0])
        except gymnasium.error.DependencyNotInstalled as error:
            raise Refusal(USAGE, f"task gym:{name} needs a Python package that {python} does not have: {error}",
                          "Install it, or choose another task") from None
        self.version = gymnasium.__version__
        length = self.horizon * self.action_size
        self.record = length if length <= LONGEST_RECORD else 0
        if spec.nondeterministic or not self.record:
            reason = ("its episodes are too long to keep their actions" if not self.record
                      else "it says of itself that a seed does not determine it")
            warnings.warn(f"task gym:{name}: {reason}; a resumed run begins new episodes and does not end with the "
                          "bits of an unbroken one")

    def _check(self, env):
        numpy = self._numpy
        _box(env.action_space, "action", self._name, "and this needs a continuous action space")
        _box(env.observation_space, "observation", self._name, "and only a Box of numbers can be flattened here")
        low = numpy.asarray(env.action_space.low, numpy.float64).reshape(-1)
        high = numpy.asarray(env.action_space.high, numpy.float64).reshape(-1)
        if not (numpy.isfinite(low).all() and numpy.isfinite(high).all()):
            raise Refusal(USAGE, f"task gym:{self._name}: its actions have no bounds, so [-1, 1] cannot be scaled to "
                          "them", "Give its action space finite bounds where it is registered")
        self._low, self._high = low, high
        self._middle, self._half = low + 0.5 * (high - low), 0.5 * (high - low)
        self._action_shape, self._action_type = env.action_space.shape, env.action_space.dtype
        self.action_size = low.size
        self.observation_size = int(numpy.prod(env.observation_space.shape, dtype=int))
        self.seconds = float(getattr(env.unwrapped, "dt", 0.0) or 0.0)

    def bind(self, actions, observations, rewards, terminal, truncated):
        """Arrays of C++: actions [E, A] float32 in [-1, 1], observations [E, O] float32, rewards [E] float64,
        terminal and truncated [E] uint8."""
        view = self._numpy.asarray
        self._actions, self._observations, self._rewards = view(actions), view(observations), view(rewards)
        self._terminal, self._truncated = view(terminal), view(truncated)

    def _observe(self, observation):
        flat = self._numpy.asarray(observation).reshape(-1)
        if flat.size != self.observation_size:
            raise ValueError(f"an observation of {flat.size} numbers; the observation space says {self.observation_size}")
        self._observations[self.row] = flat

    def reset(self, row, seed):
        self.row = row
        observation, _ = self._envs[row].reset(seed=seed)
        self._observe(observation)

    def scaled(self, actions):
        """[-1, 1] to the bounds of the action space, in its own type. A fresh array: an environment may keep it."""
        values = self._middle + actions.astype(self._numpy.float64) * self._half
        return values.clip(self._low, self._high).astype(self._action_type).reshape(-1, *self._action_shape)

    def step_row(self, row):
        self._step(row, self.scaled(self._actions[row:row + 1])[0])

    def step(self):
        actions = self.scaled(self._actions)
        for row in range(len(self._envs)):
            self._step(row, actions[row])

    def _step(self, row, action):
        self.row = row
        step, total = self._envs[row].step, 0.0
        for _ in range(self._repeat):
            observation, reward, terminated, truncated, _ = step(action)
            total += float(reward)
            if terminated or truncated:
                break
        self._observe(observation)
        self._rewards[row] = float(reward) if terminated else total / self._repeat
        self._terminal[row] = bool(terminated)
        self._truncated[row] = bool(truncated) and not terminated

    def close(self):
        for env in self._envs:
            env.close()
        self._envs.clear()
