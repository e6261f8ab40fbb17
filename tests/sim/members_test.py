"""What a bot does to the members of a group, and what they can do then."""
import harness
import pytest

BAD = "Bad Request: "
DAY = 86400


@pytest.fixture
def group():
    sim = harness.Sim("--virtual-clock")
    made = Group(sim)
    yield made
    sim.close()


class Group:
    def __init__(self, sim):
        self.sim = sim
        self.ann = sim.user("Ann")["id"]
        self.bob = sim.user("Bob")["id"]
        self.chat = sim.sim("POST", "/sim/chats", {
            "type": "supergroup", "title": "T", "admins": [self.ann],
            "members": [self.bob]})["id"]
        self.call("getMe")

    def call(self, method, **params):
        return self.sim.result(method, **params)

    def restrict(self, allowed=(), **more):
        return self.call("restrictChatMember", **{
            "chat_id": self.chat, "user_id": self.bob,
            "permissions": dict.fromkeys(allowed, True), **more})

    def bob_is(self):
        return self.call("getChatMember", chat_id=self.chat, user_id=self.bob)

    def send(self, status=200, user=None, **what):
        what = what or {"text": "hello"}
        return self.sim.sim("POST", "/sim/send", {
            "from": user or self.bob, "chat": self.chat, **what}, status)

    def pass_time(self, seconds):
        return self.sim.sim("POST", "/sim/clock", {"advance": seconds})["now"]


def test_who_is_muted_cannot_write(group):
    group.send()
    assert group.restrict() is True
    error = group.send(400)["error"]
    assert "restricted" in error and "can_send_messages" in error
    assert "can_send_photos" in group.send(400, photo=True)["error"]
    group.send(user=group.ann)
    me = group.bob_is()
    assert (me["status"], me["is_member"]) == ("restricted", True)
    assert me["until_date"] == 0
    assert me["can_send_messages"] is me["can_pin_messages"] is False
    # In a private chat nobody is muted.
    group.sim.send(group.bob, "still here")


def test_all_permissions_lift_what_was_taken(group):
    group.restrict()
    names = [n for n in group.bob_is() if n.startswith("can_")]
    group.restrict(names)
    group.send()
    assert group.bob_is()["status"] == "member"


@pytest.mark.parametrize("allowed, more, sent, refused", [
    (["can_send_messages"], {}, [{"text": "x"}, {"contact": True}],
     [{"photo": True}, {"poll": {"question": "?", "options": ["a"]}}]),
    (["can_send_other_messages"], {},
     [{"text": "x"}, {"photo": True}, {"sticker": True}], []),
    (["can_send_other_messages"], {"use_independent_chat_permissions": True},
     [{"sticker": True}], [{"text": "x"}, {"photo": True}]),
    (["can_send_photos"], {}, [{"photo": True}],
     [{"text": "x"}, {"document": True}]),
])
def test_each_permission_is_for_its_kinds(group, allowed, more, sent, refused):
    assert group.restrict(allowed, **more) is True
    for what in sent:
        group.send(**what)
    for what in refused:
        group.send(400, **what)


def test_a_mute_ends(group):
    now = group.pass_time(0.001)
    group.restrict(until_date=int(now) + 60)
    assert group.bob_is()["until_date"] == int(now) + 60
    group.send(400)
    group.pass_time(61)
    group.send()
    assert group.bob_is()["status"] == "member"


@pytest.mark.parametrize("seconds", [10, 367 * DAY])
def test_a_time_too_short_or_long_is_for_ever(group, seconds):
    now = group.pass_time(0.001)
    group.restrict(until_date=int(now) + seconds)
    assert group.bob_is()["until_date"] == 0
    group.pass_time(20)
    group.send(400)


def test_a_ban_ends_too(group):
    now = group.pass_time(0.001)
    where = {"chat_id": group.chat, "user_id": group.bob}
    group.call("banChatMember", **where, until_date=int(now) + 60)
    assert group.bob_is()["status"] == "kicked"
    back = {"chat": group.chat, "user": group.bob}
    assert "was banned" in group.sim.sim("POST", "/sim/join", back,
                                         400)["error"]
    group.pass_time(61)
    assert group.bob_is()["status"] == "left"
    group.sim.sim("POST", "/sim/join", back)
    group.send()


def test_permissions_are_an_object(group):
    assert group.restrict(permissions=[]) == \
        BAD + "object expected as permissions"
