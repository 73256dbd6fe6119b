"""What every connector keeps about ties, fields and set-up, whatever its vendor."""

from dataclasses import replace

from integrations.records import Association, RemoteField, Write
from integrations.tests.connectors.benches import Rig


class SetUpContract:
    """Mixed into one test class, which is run for every line of CONNECTORS."""

    def test_fields_are_described(self, rig: Rig) -> None:
        fields = {f.name: f for f in rig.connector().describe(rig.bench.people)}

        assert fields[rig.bench.text].type == "text"
        assert not fields[rig.bench.text].read_only
        assert any(one.read_only for one in fields.values())
        assert any(one.options for one in fields.values())

    def test_owners_and_pipelines_are_listed(self, rig: Rig) -> None:
        connector = rig.connector()

        owners = connector.owners()
        pipelines = connector.pipelines(rig.bench.deals)

        assert all(one.id and one.email for one in owners)
        assert sum(one.active for one in owners) > 1
        assert any(stage.closed for one in pipelines for stage in one.stages)
        assert connector.pipelines(rig.bench.people) == ()

    # Associations

    def test_a_create_brings_its_associations_in_the_same_call(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        connector = rig.connector()
        person = connector.write(rig.bench.people, [rig.person(1)])[0]
        rig.calls.clear()
        tie = Association(rig.bench.people, str(person.remote_id))

        note = connector.write(rig.bench.activity, [rig.note(1, tie)])[0]

        assert len(rig.calls) == 1
        found = connector.associations(
            rig.bench.activity, rig.bench.people, [str(note.remote_id)]
        )
        assert found == {note.remote_id: [person.remote_id]}

    def test_an_upsert_brings_its_associations_too(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        connector = rig.connector()
        note = connector.write(rig.bench.activity, [rig.note(1)])[0]
        tie = Association(rig.bench.activity, str(note.remote_id))

        person = connector.write(
            rig.bench.people, [replace(rig.person(1), associations=(tie,))]
        )[0]

        assert person.error is None
        found = connector.associations(
            rig.bench.people, rig.bench.activity, [str(person.remote_id)]
        )
        assert found == {person.remote_id: [note.remote_id]}

    def test_an_association_that_fails_does_not_hide_the_record(self, rig: Rig) -> None:
        tie = Association(rig.bench.activity, "999999")
        other = rig.person(2)

        results = rig.connector().write(
            rig.bench.people, [replace(rig.person(1), associations=(tie,)), other]
        )

        assert results[0].remote_id is not None
        assert results[0].error is not None
        assert results[1].error is None

    def test_associations_can_be_made_twice_and_none_is_none(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        connector = rig.connector()
        people = connector.write(rig.bench.people, [rig.person(1), rig.person(2)])
        note = connector.write(rig.bench.activity, [rig.note(1)])[0]
        ids = [str(one.remote_id) for one in people]
        ties = [(ids[0], Association(rig.bench.activity, str(note.remote_id)))]

        made = connector.associate(rig.bench.people, ties)
        again = connector.associate(rig.bench.people, ties)

        assert made == again == [None]
        found = connector.associations(rig.bench.people, rig.bench.activity, ids)
        assert found == {ids[0]: [note.remote_id], ids[1]: []}

    def test_ties_are_taken_away_and_twice_is_once(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        connector = rig.connector()
        people = connector.write(rig.bench.people, [rig.person(1), rig.person(2)])
        ids = [str(one.remote_id) for one in people]
        tie = Association(rig.bench.people, ids[0])
        note = connector.write(rig.bench.activity, [rig.note(1, tie)])[0]
        remote_id = str(note.remote_id)
        other = (remote_id, Association(rig.bench.people, ids[1]))

        untouched = connector.dissociate(rig.bench.activity, [other])
        found = connector.associations(
            rig.bench.activity, rig.bench.people, [remote_id]
        )
        done = [
            connector.dissociate(rig.bench.activity, [(remote_id, tie)])
            for _ in range(2)
        ]

        assert (untouched, done) == ([None], [[None], [None]])
        assert found == {remote_id: [ids[0]]}
        left = connector.associations(rig.bench.activity, rig.bench.people, [remote_id])
        assert left == {remote_id: []}

    # Set-up

    def test_missing_fields_are_made_once(self, rig: Rig) -> None:
        connector = rig.connector()
        wanted = [rig.own_field(), RemoteField("shoe_size", "Shoe size", "number")]

        made = connector.ensure_fields(rig.bench.people, wanted)
        rig.calls.clear()
        again = connector.ensure_fields(rig.bench.people, wanted)

        assert [one.refusal for one in made + again] == [None] * 4
        assert [one.type for one in again] == ["text", "number"]
        assert made[0].unique
        assert len(rig.calls) == 1

    def test_a_field_that_cannot_be_made_is_refused_alone(self, rig: Rig) -> None:
        bench = rig.bench
        wanted = [
            RemoteField("Not A Name!", "Bad", "text"),
            RemoteField("nice_one", "Nice", "enum"),
            RemoteField("good_one", "Good", "bool"),
            RemoteField("odd_one", "Odd", "owner"),
            RemoteField(bench.text, "There, but not unique", "text", unique=True),
        ]

        made = rig.connector().ensure_fields(bench.people, wanted)

        refused = [one.name for one in made if one.refusal]
        assert "good_one" not in refused
        assert {"Not A Name!", "odd_one", bench.text} <= set(refused)

    def test_a_record_is_upserted_by_our_own_key(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.people)
        connector = rig.connector()
        fields = {**rig.bench.always, rig.bench.text: "A"}
        write = Write("r", rig.bench.people, None, rig.own_key(), "key-1", fields)

        first = connector.write(rig.bench.people, [write])[0]
        again = connector.write(rig.bench.people, [write])[0]

        assert first.error is None
        assert (first.remote_id, again.created) == (again.remote_id, False)
